import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { write } from '../reader/readers.ts'
import { built } from '../support/built.ts'
import { createDatabase } from '../support/database.ts'
import { createProject, runCli } from './project.ts'

const database = await createDatabase()
const env = { DATABASE_URL: database.url }

const config = (sinks: string) => ({
  'audit.config.ts': `import { files } from ${JSON.stringify(built('sinks/files.js'))}
import { webhook } from ${JSON.stringify(built('sinks/webhook.js'))}
export default { sinks: [${sinks}] }`,
})

const hook = `webhook({ url: 'http://127.0.0.1:1', secret: 'x'.repeat(16) })`

describe('verify-archive', () => {
  it('compares the archives of audit.config.ts with the log, and exits with 1 where one differs', {
    timeout: 120_000,
  }, async () => {
    for (let n = 0; n < 3; n++) await write(database.pool, `by.command${n}`)
    const shipping = await createProject(config(`files({ name: 'f', directory: 'archive' })`))
    const { directory } = shipping
    await runCli(['ship', '--once'], { cwd: directory, env })
    await write(database.pool, 'not.shipped')
    await writeFile(
      join(directory, 'audit.config.ts'),
      config(`files({ name: 'f', directory: 'archive' }), ${hook}`)['audit.config.ts'],
    )
    const archive = join(directory, 'archive')
    expect(await runCli(['verify-archive'], { cwd: directory, env })).toEqual({
      code: 0,
      stdout: [
        `✔ f, ${archive}: equals the log`,
        '  3 entries equal, byte for byte',
        '  1 entry not shipped yet',
        '  webhook: not verified, as nothing can be read back from it',
        '',
      ].join('\n'),
      stderr: '',
    })

    const [name = ''] = await readdir(archive)
    await database.sql(
      `ALTER TABLE audit_logs DISABLE TRIGGER USER; UPDATE audit_logs SET actor_id = 'eve' WHERE action = 'by.command1';
       ALTER TABLE audit_logs ENABLE TRIGGER USER`,
    )
    const [row] = await database.sql<{ id: string; seq: string }>(
      `SELECT id, seq FROM audit_logs WHERE action = 'by.command1'`,
    )
    const { code, stdout } = await runCli(['verify-archive', '--sink', 'f'], { cwd: directory, env })
    expect(code).toBe(1)
    expect(stdout.replace(/by\.command1 of \S+Z,/, 'by.command1 of TIME,')).toBe(
      [
        `✘ f, ${archive}: is not as it has to be`,
        '  2 entries equal, byte for byte',
        '  1 entry not shipped yet',
        '  changed entries: 1 (in both, and not the same)',
        `    by.command1 of TIME, seq ${row?.seq}, id ${row?.id}; differs in actor_id; ${name}:2`,
        '',
      ].join('\n'),
    )

    const json = await runCli(['verify-archive', '--json'], { cwd: directory, env })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toEqual({
      ok: false,
      archives: [
        {
          ...{ sink: 'f', place: archive, ok: false },
          entries: { equal: 2, notShipped: 1, erased: 0, superseded: 0 },
          differences: {
            count: 1,
            kinds: { missing: 0, changed: 1, extra: 0, outOfOrder: 0, doubled: 0, unreadable: 0 },
            first: [
              {
                ...{ kind: 'changed', ...row, action: 'by.command1', timestamp: expect.any(String) },
                ...{ place: `${name}:2`, columns: ['actor_id'] },
              },
            ],
          },
          faults: {
            count: 0,
            kinds: { missing: 0, changed: 0, extra: 0, chain: 0, unlocked: 0, overwritten: 0, deleted: 0 },
            first: [],
          },
          notes: [],
        },
      ],
      notReadable: ['webhook'],
    })
  })

  it.each([
    [
      2,
      'a sink that is not there',
      ['--sink', 'nobody'],
      hook,
      '--sink: there is no sink "nobody". There is: webhook.',
    ],
    [
      2,
      'a sink that can’t be read back',
      ['--sink', 'webhook'],
      hook,
      'Nothing can be read back from webhook',
    ],
    [1, 'sinks of which none can be read back', [], hook, 'Nothing can be read back from webhook'],
    [1, 'no sinks', [], '', 'audit.config.ts has no sinks, so there is no archive to verify.'],
    [2, 'an option that is none', ['--all'], hook, "Unknown option '--all'"],
  ])('exits with %d for %s', async (code, _, args, sinks, message) => {
    const { directory } = await createProject(config(sinks))
    const run = await runCli(['verify-archive', ...args], { cwd: directory, env })
    expect(run).toEqual({ code, stdout: '', stderr: expect.stringContaining(message) })
  })

  it('names what is in the archive of months and no part of it', async () => {
    const folder = JSON.stringify(built('parquet/archive-folder.js'))
    const file = 'public.audit_logs/entries/month=2024-03/part-0123456789abcdef-000.parquet'
    const { directory } = await createProject({
      'audit.config.ts': `import { archiveFolder } from ${folder}
export default { retention: { default: '1 year', archive: archiveFolder({ directory: 'months' }) } }`,
    })
    const location = pathToFileURL(join(directory, 'months')).href
    const run = (...args: string[]) => runCli(['verify-archive', ...args], { cwd: directory, env })
    expect(await run()).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: `✔ the archive of months, ${location}: has no file of entries that the database does not know\n`,
    })
    await mkdir(dirname(join(directory, 'months', file)), { recursive: true })
    await writeFile(join(directory, 'months', file), '')
    expect(await run()).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: [
        `! the archive of months, ${location}: has 1 file of entries that the database does not know`,
        `    ${file}`,
        '  Nothing here counts what is in there, but other engines do: leave it out there, see docs/retention.md.',
        '  While "maintain" archives, its files are among these.',
        '',
      ].join('\n'),
    })
    expect(JSON.parse((await run('--json')).stdout)).toEqual({
      ...{ ok: true, archives: [], notReadable: [] },
      unlisted: { location, files: [file] },
    })
  })

  it('looks for it where the log is, whatever its schema', async () => {
    const other = await createDatabase()
    await other.sql(`DO $$ BEGIN ALTER SCHEMA public RENAME TO app;
      EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$`)
    const folder = JSON.stringify(built('parquet/archive-folder.js'))
    const file = 'app.audit_logs/entries/month=2024-03/part-0123456789abcdef-000.parquet'
    const { directory } = await createProject({
      'audit.config.ts': `import { archiveFolder } from ${folder}
export default { retention: { default: '1 year', archive: archiveFolder({ directory: 'months' }) } }`,
    })
    await mkdir(dirname(join(directory, 'months', file)), { recursive: true })
    await writeFile(join(directory, 'months', file), '')
    const { stdout } = await runCli(['verify-archive', '--json'], {
      ...{ cwd: directory, env: { ...env, DATABASE_URL: other.url } },
    })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, unlisted: { files: [file] } })
  })
})
