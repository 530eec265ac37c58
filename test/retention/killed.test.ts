import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { readArchived } from '../../src/parquet/catalog.ts'
import { commandLine, createProject } from '../cli/project.ts'
import { createPartitioned, fillMonths } from '../partitions/partitioned.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { built } from '../support/built.ts'
import type { Database } from '../support/database.ts'

/** A project with a partitioned log of four months, of which one stays. */
async function prepare() {
  const db = await createPartitioned()
  await fillMonths(db, 4, 300)
  await untilReadable(db)
  const folder = built('parquet/archive-folder.js')
  const { directory } = await createProject({
    'audit.config.ts': `import { archiveFolder } from ${JSON.stringify(folder)}
export default { retention: { default: '1 month', archive: archiveFolder({ directory: 'archive' }) } }`,
  })
  return { db, directory }
}

/** Runs `maintain`, and kills it as soon as it has said something. */
async function maintain(
  db: Database,
  directory: string,
  killAt?: (said: string) => boolean,
): Promise<boolean> {
  const child = spawn(process.execPath, [commandLine(), 'maintain'], {
    cwd: directory,
    env: { ...process.env, DATABASE_URL: db.url },
  })
  let said = ''
  let isKilled = false
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (!isKilled && killAt?.(said)) {
        isKilled = true
        child.kill('SIGKILL')
      }
    })
  }
  const [code] = await once(child, 'close')
  if (killAt === undefined && code !== 0) throw new Error(said)
  return isKilled
}

/** Every entry is in the table, or in the archive and read back from there; and each once. */
async function expectNothingLost(db: Database, before: readonly string[]): Promise<{ online: number }> {
  const online = await ids(db)
  const archived = await readArchived(logOf(db).connection, { name: 'audit_logs' })
  const kept = archived.reduce((sum, { entries, onlineEntries }) => sum + entries - onlineEntries, 0)
  expect(online.length + kept).toBe(before.length)
  expect(online).toEqual(before.slice(before.length - online.length))
  return { online: online.length }
}

const ids = async (db: Database) =>
  (
    await db.sql<{ id: string }>(`SELECT id FROM audit_logs WHERE action NOT LIKE 'auditLog.%' ORDER BY seq`)
  ).map(({ id }) => id)

describe('maintain, killed at every step', { timeout: 120_000 }, () => {
  const steps: [what: string, killAt: (said: string) => boolean][] = [
    ['copied', (said) => said.includes(': copied')],
    ['uploaded', (said) => said.includes(': uploaded')],
    ['verified', (said) => said.includes(': verified')],
    ['retired', (said) => said.includes(': retired')],
    ['copied a second time', (said) => said.split(': copied').length === 3],
  ]
  it.each(steps)('%s: loses nothing, and running again finishes', async (_, killAt) => {
    const { db, directory } = await prepare()
    const before = await ids(db)
    expect(await maintain(db, directory, killAt)).toBe(true)
    await expectNothingLost(db, before)
    await maintain(db, directory)
    const { online } = await expectNothingLost(db, before)
    expect(online).toBeLessThan(before.length)
    const [{ count } = {}] = await db.sql(
      `SELECT count(*)::int FROM audit_logs WHERE action = 'auditLog.retire'`,
    )
    const [{ retired } = {}] = await db.sql(
      'SELECT count(*)::int AS retired FROM audit_logs_internal.archives WHERE retired_at IS NOT NULL',
    )
    expect(count).toBe(retired)
  })

  it('detached and dropped, not committed: the month is still there', async () => {
    const { db, directory } = await prepare()
    const before = await ids(db)
    // the entry is written last
    await db.sql(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
        IF NEW.action = ''auditLog.retire'' THEN PERFORM pg_advisory_xact_lock(17), pg_sleep(60); END IF; RETURN NEW; END';
      CREATE TRIGGER slow BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION slow()`)
    const child = maintain(db, directory, (said) => said.includes('never said'))
    void child
    const isDropping = async () => {
      const [row] =
        await db.sql(`SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND objid = 17
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
      return row?.count === 1
    }
    while (!(await isDropping())) await new Promise((done) => setTimeout(done, 50))
    // the server ends the transaction of a process that is gone
    await db.sql(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 17
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
    await child
    await expectNothingLost(db, before)
    expect((await ids(db)).length).toBe(before.length)
    await db.sql('DROP TRIGGER slow ON audit_logs')
    await maintain(db, directory)
    const { online } = await expectNothingLost(db, before)
    expect(online).toBeLessThan(before.length)
  })
})
