import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { readStatus, type Status, wantedTriggers } from '../../src/cli/status.ts'
import { createDatabase } from '../support/database.ts'
import { logSql } from '../support/migration.ts'
import { createProject, datasource, runCli } from './project.ts'

const database = await createDatabase({ template: 'template1' })
await database.sql(await logSql({ name: 'audit_logs' }))

const shop = `${datasource()}
model User {
  id       Int     @id
  email    String  @map("e_mail")
  password String
  orders   Order[]
}

model Order {
  id     Int  @id
  userId Int
  user   User @relation(fields: [userId], references: [id], onDelete: Cascade)
  tags   Tag[]
}

model Tag {
  id     Int     @id
  orders Order[]
}
`

const watchUser = `SELECT "audit_logs_watch"('"public"."User"', 'user', '{"fields":{"e_mail":"email"}}');`
const watchOrder = `SELECT "audit_logs_watch"('"public"."Order"', 'order');`
const watchOthers = `SELECT "audit_logs_watch"('"public"."Tag"', 'tag');
  SELECT "audit_logs_watch"('"public"."_OrderToTag"', '_OrderToTag',
    '{"link":{"A":{"resource":"order","relation":"tags"},"B":{"resource":"tag","relation":"orders"}}}');`

beforeEach(async () => {
  await database.sql(`
    DROP TABLE IF EXISTS "User", "Order", "Tag", "_OrderToTag", "Extra", purchases CASCADE;
    CREATE TABLE "User" (id int PRIMARY KEY, e_mail text, password text, gone int);
    CREATE TABLE "Order" (id int PRIMARY KEY, "userId" int REFERENCES "User" ON DELETE CASCADE);
    CREATE TABLE "Tag" (id int PRIMARY KEY);
    CREATE TABLE "_OrderToTag" ("A" int REFERENCES "Order" ON DELETE CASCADE, "B" int REFERENCES "Tag" ON DELETE CASCADE);
    ALTER TABLE "User" DROP COLUMN gone;
    ${watchUser} ${watchOrder} ${watchOthers}`)
})

interface ProjectFiles {
  readonly files?: Record<string, string>
  readonly areRequired?: boolean
}

async function statusOf({ files = {}, areRequired = false }: ProjectFiles = {}): Promise<Status> {
  const { directory } = await createProject({ 'schema.prisma': shop, ...files })
  return readStatus(database.url, undefined, await wantedTriggers(directory, { areRequired }))
}

/** The lines about triggers of tables. */
async function checksOf(project?: ProjectFiles): Promise<string[]> {
  const { checks } = await statusOf(project)
  const first = checks.findIndex(({ message }) => message.includes('and can drop'))
  return checks.slice(first + 1).map(({ state, message }) => `${state}: ${message}`)
}

describe('where triggers record every table of the schema', () => {
  it('status counts them', async () => {
    expect(await checksOf()).toEqual(['ok: triggers record 4 tables'])
    expect((await statusOf({ areRequired: true })).ok).toBe(true)
  })

  it('a table without a model counts, too, which the options do not concern', async () => {
    await database.sql(
      `CREATE TABLE "Extra" (id int); SELECT audit_logs_watch('"Extra"', 'x', '{"origin": true}')`,
    )
    expect(await checksOf()).toEqual(['ok: triggers record 5 tables'])
    expect(await checksOf({ files: { 'schema.prisma': datasource() } })).toEqual([
      'ok: triggers record 5 tables',
    ])
  })

  it('a role needs nothing but the function for events', async () => {
    const role = `status_role_${randomBytes(4).toString('hex')}`
    const url = new URL(database.url)
    ;[url.username, url.password] = [role, 'secret']
    await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    const { directory } = await createProject({ 'schema.prisma': shop })
    const linesOf = async () => {
      const wanted = await wantedTriggers(directory, { areRequired: false })
      const { ok, checks } = await readStatus(url.href, undefined, wanted)
      return {
        ok,
        lines: checks
          .map(({ message }) => message)
          .filter((line) => line.includes('EXECUTE') || line.includes('INSERT') || line.includes('SELECT')),
      }
    }
    try {
      expect(await linesOf()).toEqual({
        ok: false,
        lines: [
          `role ${role} lacks EXECUTE on function audit_logs_write_as_owner: GRANT it`,
          `role ${role} lacks SELECT, so it can't ask the log`,
        ],
      })
      await database.sql(`GRANT EXECUTE ON FUNCTION audit_logs_write_as_owner(jsonb) TO ${role};
        GRANT SELECT ON audit_logs TO ${role}`)
      expect(await linesOf()).toEqual({
        ok: true,
        lines: [`role ${role} may execute audit_logs_write_as_owner: with triggers it needs no INSERT`],
      })
      await database.sql(`SELECT audit_logs_unwatch('"Tag"')`)
      expect((await linesOf()).lines).toEqual([
        expect.stringContaining(`role ${role} lacks INSERT (id, action,`),
      ])
    } finally {
      await database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })
})

describe('a table without triggers', () => {
  const names = '"public"."Order", "public"."Tag"'
  const line = `2 tables without triggers, where only writes of the audited client are recorded: ${names}. Run npx prisma-extension-audit triggers`

  it('is a warning, and a failure with --check', async () => {
    await database.sql(`SELECT audit_logs_unwatch('"Order"'), audit_logs_unwatch('"Tag"')`)
    expect(await checksOf()).toEqual(['ok: triggers record 2 tables', `warning: ${line}`])
    expect((await statusOf()).ok).toBe(true)
    expect(await checksOf({ areRequired: true })).toEqual([
      'ok: triggers record 2 tables',
      `missing: ${line}`,
    ])
  })

  it('is as it should be where the options leave it out', async () => {
    await database.sql(`SELECT audit_logs_unwatch('"Order"'), audit_logs_unwatch('"Tag"')`)
    const files = { 'audit.config.mjs': `export default { models: { exclude: ['Tag', 'Order'] } }` }
    expect(await checksOf({ files })).toEqual(['ok: triggers record 2 tables'])
  })

  it('that is not there is a warning', async () => {
    await database.sql('ALTER TABLE "Tag" RENAME TO purchases')
    expect(await checksOf()).toContain('warning: 1 table of the schema not in the database: "public"."Tag"')
  })
})

describe('a table with row-level security and without triggers', () => {
  const line = (names: string) =>
    `warning: ${names.split(', ').length === 1 ? '1 table' : '2 tables'} with row-level security and without triggers: ${names}. Policies hide rows from the statements of the client, so what these change is not always recorded exactly; triggers record it. Run npx prisma-extension-audit triggers`

  it('is recommended triggers, with a project and without one', async () => {
    await database.sql(`SELECT audit_logs_unwatch('"Order"'), audit_logs_unwatch('"Tag"');
      CREATE TABLE "Extra" (id int);
      ALTER TABLE "Extra" ENABLE ROW LEVEL SECURITY; ALTER TABLE "User" ENABLE ROW LEVEL SECURITY;
      ALTER TABLE "Tag" ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON "Tag" USING (id < 10)`)
    expect((await checksOf()).slice(2)).toEqual([line('"public"."Tag"')])
    expect((await statusOf()).ok).toBe(true)
    const { checks } = await readStatus(database.url)
    expect(checks.slice(-1).map(({ state, message }) => `${state}: ${message}`)).toEqual([
      line('"public"."Extra", "public"."Tag"'),
    ])
  })

  it('is left in peace where the options leave it out', async () => {
    await database.sql(`SELECT audit_logs_unwatch('"Tag"'); ALTER TABLE "Tag" ENABLE ROW LEVEL SECURITY`)
    const files = { 'audit.config.mjs': `export default { models: { exclude: ['Tag'] } }` }
    expect((await checksOf({ files })).filter((check) => check.includes('row-level'))).toEqual([])
  })
})

describe('triggers that are not as they should be', () => {
  const renewal = (sql: string) =>
    `Run npx prisma-extension-audit triggers and npx prisma migrate deploy, or this: ${sql.replace('SELECT ', 'SELECT "public".')}`

  it.each([
    [
      'ALTER TABLE "User" ADD COLUMN name text, ADD COLUMN age int',
      'its triggers are older than its columns: name came, age came',
    ],
    [
      'ALTER TABLE "User" DROP COLUMN password; ALTER TABLE "User" RENAME COLUMN e_mail TO mail',
      'its triggers are older than its columns: e_mail is now mail, password went',
    ],
    [
      'ALTER TABLE "User" ALTER COLUMN password TYPE varchar(10)',
      'its triggers are older than its columns: one has another type',
    ],
    [
      'ALTER TABLE "User" DISABLE TRIGGER USER',
      'its triggers are disabled, so that changes of others are not recorded',
    ],
    [
      'ALTER TABLE "User" DISABLE TRIGGER USER; ALTER TABLE "User" ENABLE TRIGGER USER',
      'its triggers are enabled, but not ALWAYS: session_replication_role = replica passes them by',
    ],
    [
      'ALTER TABLE "User" ENABLE TRIGGER "!audit_logs_row_update"',
      'some of its triggers are missing, or enabled otherwise than the others',
    ],
    [
      'DROP TRIGGER "!audit_logs_row_update" ON "User"',
      'some of its triggers are missing, or enabled otherwise than the others',
    ],
    [
      'DROP TRIGGER "!audit_logs_row_truncate" ON "User"',
      'some of its triggers are missing, or enabled otherwise than the others',
    ],
    [
      'DROP TRIGGER "!audit_logs_statement" ON "User"',
      'some of its triggers are missing, or enabled otherwise than the others',
    ],
    [
      `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER other AFTER UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION nothing()`,
      'it has got a trigger for each row since its own were made: what that one changes is recorded in the wrong order',
    ],
    [
      `DROP FUNCTION nothing CASCADE; SELECT audit_logs_watch('"User"', 'person', '{"redact": ["e_mail"], "redactSecrets": false, "snapshot": "changed"}')`,
      'its triggers have other options than the project: resource, snapshot, redactSecrets, redact, fields',
    ],
  ])('fail: %s', async (sql, problem) => {
    await database.sql(sql)
    expect(await checksOf()).toEqual([
      'ok: triggers record 3 tables',
      `missing: "public"."User": ${problem}. ${renewal(watchUser)}`,
    ])
    expect((await statusOf()).ok).toBe(false)
    if (sql.includes('RENAME')) return // what the schema says no longer fits
    await database.sql(watchUser)
    expect(await checksOf()).toEqual(['ok: triggers record 4 tables'])
  })

  it('fail for a table that referential actions reach, which has three', async () => {
    await database.sql('DROP TRIGGER "!audit_logs_row_update_1" ON "Order"')
    expect(await checksOf()).toContain(
      `missing: "public"."Order": some of its triggers are missing, or enabled otherwise than the others. ${renewal(watchOrder)}`,
    )
  })

  it('fail by the options of audit.config.ts', async () => {
    const files = {
      'audit.config.mjs': `export default { ignore: { '*': ['id'] }, redact: { User: ['email'] } }`,
    }
    expect((await checksOf({ files })).map((line) => line.replace(/\. Run .*/, ''))).toEqual([
      'ok: triggers record 1 table',
      'missing: "public"."User": its triggers have other options than the project: redact, ignore',
      'missing: "public"."Order": its triggers have other options than the project: ignore',
      'missing: "public"."Tag": its triggers have other options than the project: ignore',
    ])
  })

  it('fail where they write to another log', async () => {
    await database.sql(await logSql({ schema: 'other', name: 'audit_logs' }))
    await database.sql(watchUser.replace('"audit_logs_watch"', 'other.audit_logs_watch'))
    expect(await checksOf()).toContain(
      `missing: "public"."User": its triggers write to other.audit_logs. ${renewal(watchUser)}`,
    )
    await database.sql('DROP SCHEMA other CASCADE')
  })

  it('may be enabled as origin where the migrations say so', async () => {
    await database.sql(
      `SELECT audit_logs_watch('"User"', 'user', '{"fields":{"e_mail":"email"},"origin":true}')`,
    )
    expect((await checksOf())[1]).toContain('enabled, but not ALWAYS')
    const line = `SELECT audit_logs_watch('"User"', 'user', '{"fields":{"e_mail":"email"},"origin":true}')`
    expect(await checksOf({ files: { 'migrations/1_a/migration.sql': line } })).toEqual([
      'ok: triggers record 4 tables',
    ])
  })

  it('fail without a project, too, as far as anybody can tell', async () => {
    await database.sql('ALTER TABLE "Order" ADD COLUMN note text; ALTER TABLE "Tag" DISABLE TRIGGER USER')
    const { checks } = await readStatus(database.url)
    expect(checks.slice(-3)).toEqual([
      { state: 'ok', message: 'triggers record 2 tables' },
      {
        state: 'missing',
        message:
          '"public"."Order": its triggers are older than its columns: note came. Call "public"."audit_logs_watch" for it again.',
      },
      {
        state: 'missing',
        message:
          '"public"."Tag": its triggers are disabled, so that changes of others are not recorded. Call "public"."audit_logs_watch" for it again.',
      },
    ])
  })
})

describe('the command', () => {
  it('takes the project of its folder, and the schema that --schema names', async () => {
    const { directory } = await createProject({ 'other/main.prisma': shop })
    await database.sql(`SELECT audit_logs_unwatch('"Tag"')`)
    const options = { cwd: directory, env: { DATABASE_URL: database.url } }
    const { code, stdout } = await runCli(['status', '--schema', 'other', '--check'], options)
    expect(code).toBe(1)
    expect(stdout).toContain('✔ triggers record 3 tables\n✘ 1 table without triggers')
    const without = await runCli(['status'], options)
    expect(without.code).toBe(0)
    expect(without.stdout).toContain('✔ triggers record 3 tables\n')
    await expect(wantedTriggers(directory, { areRequired: true })).rejects.toThrow('No Prisma schema in')
  })
})
