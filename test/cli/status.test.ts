import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { newestLogMigration } from '../../src/cli/log-migrations.ts'
import { describeStatus, readStatus } from '../../src/cli/status.ts'
import { createDatabase } from '../support/database.ts'
import { logSql } from '../support/migration.ts'
import { createProject, runCli } from './project.ts'

const database = await createDatabase()
const shipped = await logSql({ name: 'audit_logs' })
const password = 'status-test'
const role = new URL(database.url).pathname.slice(1).replace('audit_test', 'audit_role')

/** The connection string of a role that only has what it was granted. */
function urlAs(name: string): string {
  const url = new URL(database.url)
  url.username = name
  url.password = password
  return url.toString()
}

/** The lines of the checklist without the closing verdict. */
async function checklist(url = database.url, table?: string): Promise<string[]> {
  const status = await readStatus(url, table)
  const lines = describeStatus(status, { colors: false }).trimEnd().split('\n')
  const verdict = status.ok
    ? 'The audit log is in place.'
    : 'The audit log is not in place: see the lines marked ✘.'
  expect(lines.slice(-2)).toEqual(['', verdict])
  return lines.slice(0, -2)
}

const failures = async (...args: Parameters<typeof checklist>) =>
  (await checklist(...args)).filter((line) => line.startsWith('✘'))

beforeEach(() => database.sql('DROP TABLE IF EXISTS audit_logs CASCADE').then(() => database.sql(shipped)))

describe('a log in place', () => {
  it('passes, and counts the entries', async () => {
    const { server_version: version } =
      (await database.sql<{ server_version: string }>('SHOW server_version'))[0] ?? {}
    const expected = [
      `✔ PostgreSQL ${version}`,
      '✔ table public.audit_logs',
      '✔ 17 columns',
      '✔ function audit_logs_immutable',
      '✔ function audit_logs_version: 6, the newest',
      '✔ function audit_logs_record',
      '✔ function audit_logs_iso',
      '✔ trigger audit_logs_refuse_update, enabled ALWAYS',
      '✔ trigger audit_logs_refuse_delete, enabled ALWAYS',
      '✔ trigger audit_logs_refuse_truncate, enabled ALWAYS',
      '✔ trigger audit_logs_refuse_other_change, enabled ALWAYS',
      '✔ 7 triggers on seals, enabled ALWAYS',
      '✔ 9 indexes',
      `✔ role ${new URL(database.url).username} may INSERT and SELECT`,
      `! role ${new URL(database.url).username} is a superuser and can drop the triggers, so it should not be the role of your application`,
    ]
    expect(await checklist()).toEqual([...expected, '  0 entries'])
    await database.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, timestamp)
       VALUES (gen_random_uuid(), 'user.create', '1', 'user', 'user', '2026-01-02 03:04:05.678+00'),
              (gen_random_uuid(), 'user.create', '1', 'user', 'user', '2026-01-01 00:00:00+00')`,
    )
    expect(await checklist()).toEqual([...expected, '  2 entries, the newest of 2026-01-02T03:04:05.678Z'])
  })

  it('passes for another table, by its schema or by the search_path', async () => {
    const table = { schema: 'My.Audit', name: 'the "Log"' }
    await database.sql(await logSql(table))
    expect(await failures(database.url, '"My.Audit"."the ""Log"""')).toEqual([])
    const url = new URL(database.url)
    url.searchParams.set('options', '-c search_path="My.Audit"')
    expect(await failures(url.toString(), '"the ""Log"""')).toEqual([])
    expect((await failures(url.toString()))[0]).toContain('there is public.audit_logs: --table')
  })

  it('passes without the functions that make writes short, and says so', async () => {
    await database.sql('DROP FUNCTION audit_logs_record; DROP FUNCTION audit_logs_iso(timestamp)')
    expect((await checklist()).filter((line) => /_record|_iso/.test(line))).toEqual([
      '! function audit_logs_record is not there, so writes take longer: apply the migration again',
      '! function audit_logs_iso is not there, so writes take longer: apply the migration again',
    ])
    expect((await readStatus(database.url)).ok).toBe(true)
  })

  it('estimates a large log, and takes the newest by its time-ordered id', async () => {
    await database.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, timestamp)
       VALUES ('00000000-0000-7000-8000-000000000002', 'a', '1', 'user', 'user', '2026-01-02 00:00:00+00'),
              ('00000000-0000-7000-8000-000000000001', 'a', '1', 'user', 'user', '2026-01-01 00:00:00+00')`,
    )
    await database.sql(`UPDATE pg_class SET reltuples = 2500000 WHERE oid = 'audit_logs'::regclass`)
    const { entries } = await readStatus(database.url)
    expect(entries).toEqual({ count: 2_500_000, exact: false, newest: '2026-01-02T00:00:00.000Z' })
    expect((await checklist()).at(-1)).toBe('  about 2500000 entries, the newest of 2026-01-02T00:00:00.000Z')
  })
})

describe('a log that lacks something', () => {
  it.each([
    [
      'DROP TRIGGER audit_logs_refuse_delete ON audit_logs',
      '✘ trigger audit_logs_refuse_delete is not there',
    ],
    [
      'ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_refuse_update',
      '✘ trigger audit_logs_refuse_update is enabled, but not ALWAYS: session_replication_role = replica passes it by',
    ],
    [
      'ALTER TABLE audit_logs ENABLE REPLICA TRIGGER audit_logs_refuse_update',
      '✘ trigger audit_logs_refuse_update is enabled, but not ALWAYS: session_replication_role = replica passes it by',
    ],
    [
      'ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_refuse_truncate',
      '✘ trigger audit_logs_refuse_truncate is disabled',
    ],
    [
      'DROP TRIGGER audit_logs_refuse_other_change ON audit_logs',
      '✘ trigger audit_logs_refuse_other_change is not there',
    ],
    [
      'ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_refuse_other_change',
      '✘ trigger audit_logs_refuse_other_change is enabled, but not ALWAYS: session_replication_role = replica passes it by',
    ],
    [
      `CREATE OR REPLACE TRIGGER audit_logs_refuse_update BEFORE INSERT ON audit_logs
         FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_immutable();
       ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_refuse_update`,
      '✘ trigger audit_logs_refuse_update does not refuse every update',
    ],
    [
      `CREATE OR REPLACE TRIGGER audit_logs_refuse_update BEFORE UPDATE OF reason ON audit_logs
         FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_immutable();
       ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_refuse_update`,
      '✘ trigger audit_logs_refuse_update is not there',
    ],
    [
      `CREATE OR REPLACE FUNCTION audit_logs_immutable() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
      '✘ function audit_logs_immutable does not refuse: it never raises ZA001',
    ],
    ['ALTER TABLE audit_logs DROP COLUMN user_agent', '✘ column user_agent is not there'],
    [
      `DROP INDEX audit_logs_read_records_idx; ALTER TABLE audit_logs ALTER details TYPE json;
        CREATE INDEX audit_logs_read_records_idx ON audit_logs (id)`,
      '✘ column details is json, not jsonb',
    ],
    ['ALTER TABLE audit_logs ALTER timestamp DROP DEFAULT', '✘ column timestamp has no default'],
    ['ALTER TABLE audit_logs ALTER seq DROP IDENTITY', '✘ column seq has no default'],
    ['DROP INDEX audit_logs_timestamp_idx', '✘ index audit_logs_timestamp_idx is not there'],
    [
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'audit_logs_timestamp_idx'::regclass`,
      '✘ index audit_logs_timestamp_idx is invalid: REINDEX it',
    ],
    [
      'DROP FUNCTION audit_logs_version',
      '✘ the log lacks the migration audit_log_functions, audit_log_readers, audit_log_seals, audit_log_partitions, audit_log_erasure: npx prisma-extension-audit init, then npx prisma migrate deploy',
    ],
    [
      'DROP TABLE audit_logs CASCADE',
      '✘ table audit_logs is not in the search_path; apply the migration of init: npx prisma migrate deploy',
    ],
    [
      'CREATE SCHEMA app; ALTER TABLE audit_logs SET SCHEMA app',
      '✘ table audit_logs is not in the search_path; there is app.audit_logs: --table',
    ],
  ])('%s', async (damage, line) => {
    await database.sql(damage)
    try {
      expect(await failures()).toEqual([line])
      expect((await readStatus(database.url)).ok).toBe(false)
    } finally {
      await database.sql('DROP SCHEMA IF EXISTS app CASCADE')
    }
  })

  it.each([
    ...['sealed_leaves', 'seal_nodes', 'checkpoints', 'verifications'].map((table) => [
      table,
      'refuse_change',
      'change',
    ]),
    ['seal_salts', 'refuse_change', 'change'],
    ['seal_salts', 'refuse_update', 'update'],
    ['seal_salts', 'refuse_other_change', 'other change'],
  ])('%s of the seals without %s', async (table, trigger, refused) => {
    const named = `${trigger} on audit_logs_internal.${table}`
    const failuresAfter = async (change: string) => {
      await database.sql(change)
      return failures()
    }
    const inside = `audit_logs_internal.${table}`
    expect(await failuresAfter(`ALTER TABLE ${inside} DISABLE TRIGGER ${trigger}`)).toEqual([
      `✘ trigger ${named} is disabled`,
    ])
    expect(await failuresAfter(`ALTER TABLE ${inside} ENABLE TRIGGER ${trigger}`)).toEqual([
      `✘ trigger ${named} is enabled, but not ALWAYS: session_replication_role = replica passes it by`,
    ])
    expect(
      await failuresAfter(`CREATE OR REPLACE TRIGGER ${trigger} BEFORE INSERT ON ${inside}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_internal.refuse_seal_change();
        ALTER TABLE ${inside} ENABLE ALWAYS TRIGGER ${trigger}`),
    ).toEqual([`✘ trigger ${named} does not refuse every ${refused}`])
    expect(await failuresAfter(`DROP TRIGGER ${trigger} ON ${inside}`)).toEqual([
      `✘ trigger ${named} is not there`,
    ])
    expect(await failuresAfter(shipped)).toEqual([])
  })

  it('knows fewer migrations than the database has', async () => {
    const later = newestLogMigration + 1
    await database.sql(
      `CREATE OR REPLACE FUNCTION audit_logs_version() RETURNS integer LANGUAGE sql AS 'SELECT ${later}'`,
    )
    expect(await checklist()).toContain(
      `! the log has migration ${later}, and this version knows ${newestLogMigration}: update prisma-extension-audit`,
    )
  })

  it('is repaired by running the migration again', async () => {
    await database.sql(`ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_refuse_update;
      DROP TRIGGER audit_logs_refuse_delete ON audit_logs; DROP INDEX audit_logs_timestamp_idx`)
    expect(await failures()).toHaveLength(3)
    await database.sql(shipped)
    expect(await failures()).toEqual([])
  })

  it('names the table that it was asked for', async () => {
    expect(await failures(database.url, 'audit.trail')).toEqual([
      '✘ table audit.trail is not there; apply the migration of init: npx prisma migrate deploy',
    ])
  })
})

describe("the application's role", () => {
  const columns =
    'id, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details, request_id, ip, user_agent, organization_id'

  beforeEach(() => database.sql(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`))
  afterEach(() => database.sql(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))

  const roleLines = async () => (await checklist(urlAs(role))).filter((line) => line.includes(`role ${role}`))

  it('passes without a warning with the documented grants', async () => {
    await database.sql(`GRANT SELECT, INSERT (${columns}) ON audit_logs TO ${role}`)
    const lines = await checklist(urlAs(role))
    expect(lines.filter((line) => !line.startsWith('✔'))).toEqual(['  0 entries'])
    expect(lines).toContain(`✔ role ${role} may INSERT and SELECT`)
    expect(lines).toContain(`✔ role ${role} holds no UPDATE, DELETE or TRUNCATE`)
  })

  it('fails without them', async () => {
    await database.sql(`GRANT INSERT (id, action) ON audit_logs TO ${role}`)
    expect(await roleLines()).toEqual([
      `✘ role ${role} lacks INSERT (${columns.replace('id, action, ', '')}): GRANT it`,
      `✘ role ${role} lacks SELECT: GRANT it`,
      `✔ role ${role} holds no UPDATE, DELETE or TRUNCATE`,
    ])
    expect((await readStatus(urlAs(role))).entries).toBeNull()
  })

  it('warns when it may not execute the functions that make writes short', async () => {
    await database.sql(`GRANT SELECT, INSERT (${columns}) ON audit_logs TO ${role};
      REVOKE EXECUTE ON FUNCTION audit_logs_record FROM PUBLIC`)
    try {
      expect((await checklist(urlAs(role))).filter((line) => line.startsWith('!'))).toEqual([
        `! role ${role} lacks EXECUTE on function audit_logs_record, so its writes take longer: GRANT it`,
      ])
      expect((await readStatus(urlAs(role))).ok).toBe(true)
    } finally {
      await database.sql('GRANT EXECUTE ON FUNCTION audit_logs_record TO PUBLIC')
    }
  })

  it('fails without the use of the schema', async () => {
    await database.sql(`CREATE SCHEMA audit`)
    try {
      await database.sql(await logSql({ schema: 'audit', name: 'trail' }))
      await database.sql(`GRANT SELECT, INSERT ON audit.trail TO ${role}`)
      expect(await failures(urlAs(role), 'audit.trail')).toEqual([
        `✘ role ${role} lacks USAGE on schema audit: GRANT it`,
      ])
    } finally {
      await database.sql('DROP SCHEMA audit CASCADE')
    }
  })

  it('warns of what it holds beyond them', async () => {
    await database.sql(`GRANT SELECT, INSERT, UPDATE, TRUNCATE ON audit_logs TO ${role}`)
    expect(await roleLines()).toEqual([
      `✔ role ${role} may INSERT and SELECT`,
      `! role ${role} holds UPDATE, TRUNCATE; the triggers refuse them, but better REVOKE them too`,
      `! role ${role} may INSERT timestamp, seq, transaction_id, which the database fills in: it can backdate`,
    ])
    expect((await readStatus(urlAs(role))).ok).toBe(true)
  })

  it('warns when it owns the table', async () => {
    await database.sql(`ALTER TABLE audit_logs OWNER TO ${role}`)
    expect(await roleLines()).toEqual([
      `✔ role ${role} may INSERT and SELECT`,
      `! role ${role} owns the table and can drop its triggers, so it should not be the role of your application`,
    ])
  })
})

describe('the command', () => {
  it('exits 0 with the checklist, without colours into a pipe', async () => {
    const { code, stdout, stderr } = await runCli(['status'], { env: { DATABASE_URL: database.url } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(describeStatus(await readStatus(database.url), { colors: false }))
  })

  it('exits 1 when something is missing, as JSON too', async () => {
    await database.sql('DROP TRIGGER audit_logs_refuse_delete ON audit_logs')
    const { code, stdout } = await runCli(['status', '--json'], { env: { DATABASE_URL: database.url } })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual(await readStatus(database.url))
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([
        { state: 'missing', message: 'trigger audit_logs_refuse_delete is not there' },
      ]),
      entries: { count: 0, exact: true, newest: null },
    })
  })

  it("asks the database of prisma.config where DATABASE_URL isn't set", async () => {
    const project = await createProject({
      'prisma.config.mjs': `export default { datasource: { url: ${JSON.stringify(database.url)} } }`,
    })
    const options = { cwd: project.directory, env: { DATABASE_URL: undefined } }
    expect(await runCli(['status', '--table', 'audit.none'], options)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('✘ table audit.none is not there'),
    })
  })

  it.each([
    ['no DATABASE_URL', undefined, 'DATABASE_URL is not set'],
    ['no server', 'postgresql://me:pw@127.0.0.1:1/none', 'No database answers at 127.0.0.1:1.'],
    [
      'no such database',
      'no-such-database',
      'refused the connection: database "no_such_database" does not exist.',
    ],
  ])('exits 1 with one line on stderr: %s', async (_, url, reason) => {
    const project = await createProject({})
    const missing = new URL(inject('serverUrl'))
    missing.pathname = '/no_such_database'
    const { code, stdout, stderr } = await runCli(['status'], {
      cwd: project.directory,
      env: { DATABASE_URL: url === 'no-such-database' ? missing.toString() : url },
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(reason)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  it('exits 2 for a table that is no name', async () => {
    const env = { DATABASE_URL: database.url }
    expect(await runCli(['status', '--table', 'a.b.c'], { env })).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('colours', () => {
  it('only the marks have them', async () => {
    const checks = [{ state: 'missing', message: 'table x' }] as const
    const status = { ok: false, checks, entries: null, readers: null, verification: null }
    expect(describeStatus(status, { colors: true })).toContain('\u001b[31m✘\u001b[39m table x\n')
    expect(describeStatus(status, { colors: false })).toContain('✘ table x\n')
  })
})
