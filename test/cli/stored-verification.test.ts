import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeStatus, readStatus } from '../../src/cli/status.ts'
import { logOf, untilReadable, write } from '../reader/readers.ts'
import { newKey, sealAll, signerOf } from '../seal/seals.ts'
import { createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { createProject, runCli } from './project.ts'

async function sealedLog() {
  const database = await createDatabase()
  const key = newKey()
  const { directory } = await createProject({ 'audit.pub': `${key.publicKey}\n` })
  const seal = async (...actions: string[]) => {
    for (const action of actions) await write(database.pool, action)
    await untilReadable(database)
    await sealAll(logOf(database), await signerOf(key))
  }
  await seal('one', 'two')
  return {
    ...{ database, directory, seal },
    verify: (url = database.url, ...args: string[]) =>
      runCli(['verify', '--key', 'audit.pub', ...args], { cwd: directory, env: { DATABASE_URL: url } }),
    stored: () =>
      database.sql(
        `SELECT log, size::int, entries::int, findings::int, result, anchored::int, role, began_at < ended_at AS "takesTime"
         FROM audit_logs_internal.verifications ORDER BY number`,
      ),
    lastVerified: async () => {
      const lines = describeStatus(await readStatus(database.url), { colors: false }).split('\n')
      return lines.filter((line) => line.includes('last verified'))
    },
  }
}

it('each result of verify is stored, and status shows the newest', { timeout: 120_000 }, async () => {
  const { database, directory, seal, verify, stored, lastVerified } = await sealedLog()
  const role = new URL(database.url).username
  const row = { log: 'public.audit_logs', role, takesTime: true, anchored: null }
  expect(await lastVerified()).toEqual([])
  expect(await verify()).toMatchObject({ code: 0, stderr: '' })
  const whole = { ...row, size: 2, entries: 2, findings: 0, result: 'intact' }
  expect(await stored()).toEqual([whole])
  await seal('three')
  const said = `by role ${role}: nothing was altered; 2 of 2 entries compared, without an anchor; 1 entry sealed since`
  expect(await lastVerified()).toEqual([
    expect.stringMatching(new RegExp(`^ {2}last verified at 20\\S+Z ${said}$`)),
  ])
  const notes = await database.sql<{ note: string }>('SELECT note FROM audit_logs_internal.checkpoints')
  await writeFile(join(directory, 'anchor'), notes.map(({ note }) => `${note}\n`).join(''))
  const anchored = ['--since', '1', '--anchor', `file:${join(directory, 'anchor')}`]
  expect(await verify(database.url, ...anchored)).toMatchObject({ code: 0, stderr: '' })
  const since = { ...row, size: 3, entries: 1, findings: 0, result: 'intact', anchored: 3 }
  expect(await lastVerified()).toEqual([
    expect.stringContaining('1 of 3 entries compared, 3 anchored; 0 entries'),
  ])
  expect(await stored()).toEqual([whole, since])
  await database.sql(
    `ALTER TABLE audit_logs DISABLE TRIGGER ALL; UPDATE audit_logs SET actor_id = 'eve' WHERE seq = 1`,
  )
  expect(await verify()).toMatchObject({ code: 1, stderr: '' })
  const altered = { ...row, size: 3, entries: 3, findings: 1, result: 'altered' }
  expect(await stored()).toEqual([whole, since, altered])
  expect(await lastVerified()).toEqual([
    expect.stringContaining('1 thing does not fit; 3 of 3 entries compared, without an anchor; 0 entries'),
  ])
  for (const change of [
    'UPDATE audit_logs_internal.verifications SET findings = 0',
    'DELETE FROM audit_logs_internal.verifications',
  ]) {
    await expect(database.sql(change)).rejects.toMatchObject({ code: 'ZA006' })
  }
})

it('where a result can not be stored, verify says so and ends as it would have', {
  timeout: 120_000,
}, async () => {
  const { database, verify, stored } = await sealedLog()
  const role = unique('verifier').replaceAll('-', '_')
  await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT SELECT ON audit_logs TO ${role};
    GRANT USAGE ON SCHEMA audit_logs_internal TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA audit_logs_internal TO ${role}`)
  onTestFinished(() => database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`).then(() => undefined))
  const asVerifier = new URL(database.url)
  asVerifier.username = role
  asVerifier.password = 'secret'
  const readOnly = new URL(database.url)
  readOnly.searchParams.set('options', '-c default_transaction_read_only=on')
  const intact = expect.stringContaining('✔ nothing was altered: 2 entries')
  expect(await verify(asVerifier.toString())).toEqual({
    ...{ code: 0, stdout: intact },
    stderr: "The result was not stored: the role may not INSERT into the log's table verifications\n",
  })
  expect(await verify(readOnly.toString())).toEqual({
    ...{ code: 0, stdout: intact },
    stderr: 'The result was not stored: the database only reads\n',
  })
  expect(await stored()).toEqual([])
  await database.sql(`DROP TABLE audit_logs_internal.verifications; ALTER TABLE audit_logs DISABLE TRIGGER ALL;
    UPDATE audit_logs SET actor_id = 'eve' WHERE seq = 1`)
  expect(await verify()).toEqual({
    ...{ code: 1, stdout: expect.stringContaining('✘ 1 thing does not fit') },
    stderr:
      "The result was not stored: the log has no table verifications: apply the log's migrations again\n",
  })
})
