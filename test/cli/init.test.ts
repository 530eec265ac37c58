import { randomUUID } from 'node:crypto'
import { readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyMigrations, driftScript } from '../../scripts/schema-engine.ts'
import { describePlan, type InitOptions, planInit } from '../../src/cli/init.ts'
import { writeFiles } from '../../src/cli/planned-files.ts'
import { UsageError } from '../../src/cli/usage.ts'
import type { AuditError } from '../../src/errors.ts'
import { quoteTable, type TableName } from '../../src/postgres/identifiers.ts'
import { unwatchSql, watchSql } from '../../src/triggers/watch-sql.ts'
import { createDatabase } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { migrations as shippedMigrations } from '../support/migration.ts'
import { createProject, datasource, type Project, runCli, runNode } from './project.ts'

const now = new Date('2026-03-04T05:06:07.890Z')
const folder = '20260304050607_audit_log'
const [
  shippedMigration = '',
  shippedFunctions = '',
  shippedReaders = '',
  shippedSeals = '',
  shippedPartitions = '',
  shippedErasure = '',
] = shippedMigrations
const functionsFolder = '20260304050608_audit_log_functions'
const readersFolder = '20260304050609_audit_log_readers'
const sealsFolder = '20260304050610_audit_log_seals'
const partitionsFolder = '20260304050611_audit_log_partitions'
const erasureFolder = '20260304050612_audit_log_erasure'
const lock = await readFile('prisma/migrations/migration_lock.toml', 'utf8')
const shippedModel = (await readFile('prisma/schema.prisma', 'utf8')).replace(
  /^[\s\S]*?(?=\/\/\/ The append-only)/,
  '',
)

async function init(project: Project, options: Omit<InitOptions, 'directory' | 'now'> = {}): Promise<string> {
  const plan = await planInit({ directory: project.directory, now, ...options })
  await writeFiles(plan.writes)
  return describePlan(plan, { contents: false })
}

/** The error that a command is refused with. */
async function cliRefusal(work: Promise<unknown>): Promise<AuditError> {
  const error = await refusal(() => work)
  expect(error).toHaveProperty('code', 'AUDIT_CLI')
  return error
}

/** What Prisma's own CLI says of the schema. */
async function validate(project: Project, schema: string): Promise<string> {
  const { stdout, stderr } = await runNode(
    [resolve('node_modules/prisma/build/index.js'), 'validate', '--schema', join(project.directory, schema)],
    {
      env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', NO_COLOR: '1' },
    },
  )
  return stdout + stderr
}

describe('where it writes', () => {
  it('appends the shipped model to prisma/schema.prisma and adds the shipped migrations', async () => {
    const before = `${datasource()}\nmodel User {\n  id Int @id\n}`
    const project = await createProject({ 'prisma/schema.prisma': before })
    const output = await init(project)
    expect(await project.snapshot()).toEqual({
      'prisma/schema.prisma': `${before}\n\n${shippedModel}`,
      [`prisma/migrations/${folder}/migration.sql`]: shippedMigration,
      [`prisma/migrations/${functionsFolder}/migration.sql`]: shippedFunctions,
      [`prisma/migrations/${readersFolder}/migration.sql`]: shippedReaders,
      [`prisma/migrations/${sealsFolder}/migration.sql`]: shippedSeals,
      [`prisma/migrations/${partitionsFolder}/migration.sql`]: shippedPartitions,
      [`prisma/migrations/${erasureFolder}/migration.sql`]: shippedErasure,
      'prisma/migrations/migration_lock.toml': lock,
    })
    expect(output).toBe(`append to prisma/schema.prisma
create prisma/migrations/${folder}/migration.sql
create prisma/migrations/${functionsFolder}/migration.sql
create prisma/migrations/${readersFolder}/migration.sql
create prisma/migrations/${sealsFolder}/migration.sql
create prisma/migrations/${partitionsFolder}/migration.sql
create prisma/migrations/${erasureFolder}/migration.sql
create prisma/migrations/migration_lock.toml

No migration creates the table "public"."User", so it gets no triggers yet.

Next:
  npx prisma migrate deploy      (in development: npx prisma migrate dev)
    With prisma db push instead of migrations:
    npx prisma db execute --file prisma/migrations/${folder}/migration.sql
    npx prisma db execute --file prisma/migrations/${functionsFolder}/migration.sql
    npx prisma db execute --file prisma/migrations/${readersFolder}/migration.sql
    npx prisma db execute --file prisma/migrations/${sealsFolder}/migration.sql
    npx prisma db execute --file prisma/migrations/${partitionsFolder}/migration.sql
    npx prisma db execute --file prisma/migrations/${erasureFolder}/migration.sql
    npx prisma-extension-audit triggers --print | npx prisma db execute --stdin
  npx prisma-extension-audit triggers      once a migration has created the tables
  npx prisma generate
`)
    expect(await validate(project, 'prisma/schema.prisma')).toContain('is valid')
  })

  it('prefers schema.prisma in the project folder, as Prisma 7 does, and keeps a lock file that is there', async () => {
    const project = await createProject({
      'schema.prisma': datasource(),
      'prisma/schema.prisma': datasource(),
      'migrations/migration_lock.toml': '# mine\nprovider = "postgresql"\n',
      'migrations/0_init/migration.sql': 'CREATE TABLE "audit_logs" ();',
    })
    const output = await init(project)
    expect(Object.keys(await project.snapshot())).toEqual([
      'migrations/0_init/migration.sql',
      `migrations/${folder}/migration.sql`,
      `migrations/${functionsFolder}/migration.sql`,
      `migrations/${readersFolder}/migration.sql`,
      `migrations/${sealsFolder}/migration.sql`,
      `migrations/${partitionsFolder}/migration.sql`,
      `migrations/${erasureFolder}/migration.sql`,
      'migrations/migration_lock.toml',
      'prisma/schema.prisma',
      'schema.prisma',
    ])
    expect(await project.read('prisma/schema.prisma')).toBe(datasource())
    expect(await project.read('migrations/migration_lock.toml')).toMatch(/^# mine/)
    expect(output).not.toContain('db push')
  })

  it('adds a file of its own to a schema folder', async () => {
    const project = await createProject({
      'prisma/schema/main.prisma': datasource(),
      'prisma/schema/people/user.prisma': 'model User {\n  id Int @id\n}\n',
    })
    await init(project)
    expect(await project.read('prisma/schema/audit-log.prisma')).toBe(shippedModel)
    expect(await project.read(`prisma/schema/migrations/${folder}/migration.sql`)).toBe(shippedMigration)
    expect(await project.read('prisma/schema/main.prisma')).toBe(datasource())
  })

  it('finds a model of a nested file of the folder', async () => {
    const project = await createProject({
      'prisma/schema/main.prisma': datasource(),
      'prisma/schema/log/entry.prisma': shippedModel.replace('model AuditLog', 'model Entry'),
    })
    expect(await init(project)).toContain('The model Entry is in your schema already.')
    expect(Object.keys(await project.snapshot())).not.toContain('prisma/schema/audit-log.prisma')
  })

  it.each([
    ['prisma.config.ts', `import { defineConfig } from 'prisma/config'\nexport default defineConfig(`, ')'],
    ['prisma.config.mjs', 'export default (', ')'],
    ['prisma.config.cjs', 'module.exports = (', ')'],
  ])('follows the paths in %s', async (file, before, after) => {
    const project = await createProject({
      [file]: `${before}{ schema: 'db/models', migrations: { path: 'db/history' } }${after}`,
      'db/models/main.prisma': datasource(),
      'prisma/schema.prisma': datasource(),
    })
    await symlink(resolve('node_modules'), join(project.directory, 'node_modules'))
    const plan = await planInit({ directory: project.directory, now })
    expect(plan.writes.map(({ path }) => path.slice(project.directory.length + 1))).toEqual([
      'db/models/audit-log.prisma',
      `db/history/${folder}/migration.sql`,
      `db/history/${functionsFolder}/migration.sql`,
      `db/history/${readersFolder}/migration.sql`,
      `db/history/${sealsFolder}/migration.sql`,
      `db/history/${partitionsFolder}/migration.sql`,
      `db/history/${erasureFolder}/migration.sql`,
      'db/history/migration_lock.toml',
    ])
  })

  it('takes the schema that is named over the one in the config', async () => {
    const project = await createProject({
      'prisma.config.mjs': `export default { schema: 'prisma/schema.prisma' }`,
      'prisma/schema.prisma': datasource(),
      'other/main.prisma': datasource(),
    })
    await init(project, { schema: 'other' })
    expect(await project.read('other/audit-log.prisma')).toBe(shippedModel)
    expect(await project.read('prisma/schema.prisma')).toBe(datasource())
  })

  it('keeps the line endings of the file', async () => {
    const project = await createProject({ 'schema.prisma': datasource().replaceAll('\n', '\r\n') })
    await init(project)
    expect(await project.read('schema.prisma')).not.toMatch(/[^\r]\n/)
    expect(await init(project)).toContain('Nothing to do')
  })

  it('names a config that fails, and why', async () => {
    const project = await createProject({ 'prisma.config.mjs': `throw new Error('no secrets here')` })
    const { message } = await cliRefusal(planInit({ directory: project.directory }))
    expect(message).toContain('no secrets here')
    expect(message).toContain('prisma.config.mjs')
  })

  it('says where it looked when there is no schema', async () => {
    const project = await createProject({ 'package.json': '{}' })
    const { message } = await cliRefusal(planInit({ directory: project.directory }))
    expect(message).toContain('schema.prisma, prisma/schema.prisma, prisma/schema')
  })

  it.each([
    ['another database', 'datasource db {\n  provider = "mysql"\n}\n', 'the provider "mysql"'],
    ['no datasource', 'model User {\n  id Int @id\n}\n', 'no datasource block'],
  ])('refuses %s', async (_, schema, reason) => {
    const project = await createProject({ 'schema.prisma': schema })
    expect((await cliRefusal(init(project))).message).toContain(reason)
    expect(await project.snapshot()).toEqual({ 'schema.prisma': schema })
  })
})

describe('triggers', () => {
  const shop = `${datasource()}
model Order {
  id    Int    @id
  total Int    @map("order_total")
  items Item[]
}

model Item {
  id     Int     @id
  orders Order[]
}
`
  const tables = `CREATE TABLE "Order" ("id" INTEGER PRIMARY KEY, "order_total" INTEGER);
CREATE TABLE "Item" ("id" INTEGER PRIMARY KEY);
CREATE TABLE "_ItemToOrder" ("A" INTEGER, "B" INTEGER);
`
  const triggersPath = 'migrations/20260304050613_audit_triggers/migration.sql'

  it('are a migration of their own, last of all, with a line for each table', async () => {
    const project = await createProject({
      'schema.prisma': shop,
      'migrations/20260101000000_shop/migration.sql': tables,
    })
    const output = await init(project)
    expect(output).toContain(`create ${triggersPath}`)
    expect(
      await project.read(triggersPath),
    ).toBe(`-- Written by prisma-extension-audit: triggers record every change of these tables, whoever makes it.
-- After a change of the schema or of the options run "npx prisma-extension-audit triggers" again.

SELECT "audit_logs_watch"('"public"."Order"', 'order', '{"fields":{"order_total":"total"}}');
SELECT "audit_logs_watch"('"public"."Item"', 'item');
SELECT "audit_logs_watch"('"public"."_ItemToOrder"', '_ItemToOrder', '{"link":{"A":{"resource":"item","relation":"orders"},"B":{"resource":"order","relation":"items"}}}');
`)
    expect(await init(project)).toContain('Nothing to do')

    const database = await createDatabase({ template: 'template1' })
    await applyMigrations(database.url, join(project.directory, 'migrations'))
    await database.sql(`INSERT INTO "Order" VALUES (1, 100)`)
    expect(await database.sql(`SELECT action, details FROM audit_logs ORDER BY seq DESC LIMIT 1`)).toEqual([
      { action: 'order.create', details: expect.objectContaining({ after: { id: 1, total: 100 } }) },
    ])
  })

  it('are left out with --no-triggers', async () => {
    const project = await createProject({
      'schema.prisma': shop,
      'migrations/20260101000000_shop/migration.sql': tables,
    })
    const output = await init(project, { triggers: false })
    expect(Object.keys(await project.snapshot())).not.toContain(triggersPath)
    expect(output).not.toContain('triggers\n')
  })

  it('wait for tables that no migration creates yet', async () => {
    const project = await createProject({
      'schema.prisma': shop,
      'migrations/20260101000000_shop/migration.sql': 'CREATE TABLE "Order" ("id" INTEGER PRIMARY KEY);',
    })
    const output = await init(project)
    expect(output).toContain(
      'No migration creates the tables "public"."Item", "public"."_ItemToOrder", so they get no triggers yet.',
    )
    expect(output).toContain('npx prisma-extension-audit triggers      once a migration has created')
    const sql = await project.read(triggersPath)
    expect(sql.match(/^SELECT .*/gm)).toEqual([
      `SELECT "audit_logs_watch"('"public"."Order"', 'order', '{"fields":{"order_total":"total"}}');`,
    ])
  })
})

describe('running it again', () => {
  it.each([
    ['the default table', undefined, []],
    ['another table', 'audit.trail', ['public', 'audit']],
    ['a table whose model was left out', 'audit.trail', []],
  ])('changes nothing: %s', async (_, table, schemas) => {
    const project = await createProject({ 'prisma/schema.prisma': datasource(...schemas) })
    await init(project, { table })
    const first = await project.snapshot()
    const plan = await planInit({ directory: project.directory, table })
    await writeFiles(plan.writes)
    expect(plan.writes).toEqual([])
    expect(await project.snapshot()).toEqual(first)
    expect(describePlan(plan, { contents: false })).toContain('Nothing to do')
    for (const there of [
      folder,
      functionsFolder,
      readersFolder,
      sealsFolder,
      partitionsFolder,
      erasureFolder,
    ]) {
      expect(plan.notes).toContain(`The migration ${there} is there already.`)
    }
  })

  it('takes public.audit_logs for the table without a schema', async () => {
    const project = await createProject({ 'schema.prisma': datasource() })
    await init(project)
    expect((await planInit({ directory: project.directory, table: 'public.audit_logs' })).writes).toEqual([])
  })

  it('adds what is missing: the migration, or the model', async () => {
    const project = await createProject({ 'schema.prisma': `${datasource()}\n${shippedModel}` })
    await init(project)
    expect(await project.read('schema.prisma')).toBe(`${datasource()}\n${shippedModel}`)
    expect(await project.read(`migrations/${folder}/migration.sql`)).toBe(shippedMigration)
  })

  it('adds to a log of an earlier version the migrations that it lacks, after all that are there', async () => {
    const project = await createProject({
      'schema.prisma': `${datasource()}\n${shippedModel}`,
      'migrations/20250101000000_audit/migration.sql': shippedMigration.replaceAll('\n', '\r\n'),
      'migrations/20260304050700_add_users/migration.sql': 'CREATE TABLE "User" ("id" INT PRIMARY KEY);',
      'migrations/migration_lock.toml': lock,
    })
    const before = await project.snapshot()
    const output = await init(project)
    expect(await project.snapshot()).toEqual({
      ...before,
      'migrations/20260304050701_audit_log_functions/migration.sql': shippedFunctions,
      'migrations/20260304050702_audit_log_readers/migration.sql': shippedReaders,
      'migrations/20260304050703_audit_log_seals/migration.sql': shippedSeals,
      'migrations/20260304050704_audit_log_partitions/migration.sql': shippedPartitions,
      'migrations/20260304050705_audit_log_erasure/migration.sql': shippedErasure,
    })
    expect(output).toContain('The migration 20250101000000_audit is there already.')
    expect(await init(project)).toContain('Nothing to do')
  })

  it('adds a second log beside the first', async () => {
    const project = await createProject({ 'prisma/schema/main.prisma': datasource() })
    await init(project)
    const plan = await planInit({ directory: project.directory, table: 'trail', now })
    await writeFiles(plan.writes)
    expect(Object.keys(await project.snapshot())).toContain(
      'prisma/schema/migrations/20260304050613_audit_log/migration.sql',
    )
    const models = await project.read('prisma/schema/audit-log.prisma')
    expect(models).toBe(
      `${shippedModel}\n${shippedModel.replace('model AuditLog', 'model AuditEntry').replace('"audit_logs"', '"trail"')}`,
    )
    expect(await validate(project, 'prisma/schema')).toContain('are valid')
  })
})

describe('the model', () => {
  const langfuse = `model AuditLog {
  id        String @id // "not" a { brace
  projectId String @default("}") @map("project_id")

  @@map(name: "audit_records")
}
`

  it('takes another name when AuditLog is another table, and says so', async () => {
    const project = await createProject({ 'schema.prisma': `${datasource()}\n${langfuse}` })
    const output = await init(project)
    expect(output).toContain("so the log's model is AuditEntry (choose with --model)")
    expect(await project.read('schema.prisma')).toContain('\nmodel AuditEntry {\n')
    expect(await validate(project, 'schema.prisma')).toContain('is valid')
  })

  it('takes the name that --model gives', async () => {
    const project = await createProject({ 'schema.prisma': `${datasource()}\n${langfuse}` })
    expect(await init(project, { model: 'TrailEntry' })).not.toContain('--model')
    expect(await project.read('schema.prisma')).toContain('\nmodel TrailEntry {\n')
  })

  it.each([
    ['AuditLog', 'The name AuditLog is taken'],
    ['1st', "can't be a model's name"],
  ])('refuses --model %s', async (model, reason) => {
    const project = await createProject({ 'schema.prisma': `${datasource()}\n${langfuse}` })
    const error = await cliRefusal(init(project, { model }))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain(reason)
  })

  it('refuses a table that belongs to another model', async () => {
    const schema = `${datasource()}\n${langfuse.replace('audit_records', 'audit_logs')}`
    const project = await createProject({ 'schema.prisma': schema })
    const { message } = await cliRefusal(init(project))
    expect(message).toContain(
      'belongs to your model AuditLog, which is not this audit log: it has no timestamp,',
    )
    expect(message).toContain('init --table audit.audit_logs')
    expect(await project.snapshot()).toEqual({ 'schema.prisma': schema })
  })

  it('ignores a model in a comment', async () => {
    const commented = shippedModel.replaceAll(/^/gm, '// ')
    const project = await createProject({
      'schema.prisma': `${datasource()}\n/*\n${shippedModel}*/\n${commented}\n`,
    })
    expect((await planInit({ directory: project.directory, now })).writes[0]?.text).toBe(`\n${shippedModel}`)
  })

  it('gets @@schema where the datasource lists schemas', async () => {
    const project = await createProject({ 'schema.prisma': datasource('public', 'audit') })
    await init(project)
    await init(project, { table: 'audit.trail', model: 'Trail' })
    const schema = await project.read('schema.prisma')
    expect(schema).toContain('  @@map("audit_logs")\n  @@schema("public")\n}')
    expect(schema).toContain('  @@map("trail")\n  @@schema("audit")\n}')
    expect(await validate(project, 'schema.prisma')).toContain('is valid')
  })

  it('asks for the schema where the list has no "public"', async () => {
    const project = await createProject({ 'schema.prisma': datasource('app', 'audit') })
    expect((await cliRefusal(init(project))).message).toContain('init --table app.audit_logs')
  })

  it.each([
    [
      [],
      'schemas = ["public", "audit"] in the datasource block and @@schema("public") to every model and enum',
    ],
    [['public', 'app'], 'schemas = ["public", "app", "audit"] in the datasource block, and run this again'],
  ])('is left out where the datasource lists %j, with what to add', async (schemas, advice) => {
    const project = await createProject({ 'schema.prisma': datasource(...schemas) })
    const output = await init(project, { table: 'audit.trail' })
    expect(output).toContain(advice)
    expect(output).not.toContain('prisma generate')
    expect(output).toContain("withAudit(client, { table: 'audit.trail' })")
    expect(await project.read('schema.prisma')).toBe(datasource(...schemas))
    expect(await project.read(`migrations/${folder}/migration.sql`)).toContain('"audit"."trail"')
  })
})

describe('the migration', () => {
  const tables: [string, string | undefined, TableName, string[]][] = [
    ['the default table', undefined, { name: 'audit_logs' }, []],
    ['a name in the default schema', 'trail', { name: 'trail' }, []],
    ['another schema', 'audit.trail', { schema: 'audit', name: 'trail' }, ['public', 'audit']],
    [
      'names with quotes, capitals, dots and dollars',
      String.raw`"My.Audit"."the ""Log"".$& 'v\1%s"`,
      { schema: 'My.Audit', name: String.raw`the "Log".$& 'v\1%s` },
      ['public', 'My.Audit'],
    ],
    ['a name in another script', '"журнал 記"', { name: 'журнал 記' }, []],
  ]

  it.each(tables)('makes an append-only table without drift: %s', async (_, option, table, schemas) => {
    const project = await createProject({ 'schema.prisma': datasource(...schemas) })
    const database = await createDatabase({ template: 'template1' })
    await init(project, { table: option })
    const folders = [folder, functionsFolder, readersFolder, sealsFolder, partitionsFolder, erasureFolder]

    expect(await applyMigrations(database.url, join(project.directory, 'migrations'))).toEqual(folders)
    const objects = `SELECT 'trigger' AS kind, tgname::text AS name, tgenabled::text AS state FROM pg_trigger
      UNION ALL SELECT relkind::text, relname::text, relnamespace::regnamespace::text FROM pg_class
      WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
      UNION ALL SELECT pg_get_functiondef(oid), proacl::text, pronamespace::regnamespace::text FROM pg_proc
      WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) ORDER BY 1, 2`
    const before = await database.sql(objects)
    for (const one of folders) {
      const sql = await project.read(`migrations/${one}/migration.sql`)
      await database.sql(sql)
      // Some tools run a file statement by statement, cutting at every semicolon.
      for (const statement of sql.split(';')) await database.sql(statement)
    }
    expect(await database.sql(objects)).toEqual(before)

    const schema = await project.read('schema.prisma')
    expect(schema).toContain('model AuditLog {')
    expect((await driftScript(database.url, schema)).trim()).toBe('-- This is an empty migration.')

    const log = quoteTable(table)
    await database.sql(
      `INSERT INTO ${log} ("id", "action", "actor_id", "actor_type", "resource_type")
       VALUES (gen_random_uuid(), 'user.create', '1', 'user', 'user')`,
    )
    const client = await database.pool.connect()
    try {
      for (const role of ['origin', 'replica', 'local']) {
        await client.query(`SET session_replication_role = ${role}`)
        for (const statement of [
          `UPDATE ${log} SET "reason" = 'x'`,
          `DELETE FROM ${log} WHERE false`,
          `TRUNCATE ${log}`,
        ]) {
          await expect(client.query(statement), `${role}: ${statement}`).rejects.toMatchObject({
            code: 'ZA001',
          })
        }
      }
      expect((await client.query(`SELECT "reason" FROM ${log}`)).rows).toEqual([{ reason: null }])
    } finally {
      client.release()
    }
  })

  it.each(tables)('has triggers that record into it: %s', async (_, option, table, schemas) => {
    const project = await createProject({ 'schema.prisma': datasource(...schemas) })
    const database = await createDatabase({ template: 'template1' })
    await init(project, { table: option })
    await applyMigrations(database.url, join(project.directory, 'migrations'))
    await database.sql(`
      CREATE TABLE "Team" ("id" int PRIMARY KEY, "parent" int REFERENCES "Team" ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE "Member" ("team" int REFERENCES "Team" ON DELETE CASCADE, "name" text PRIMARY KEY);
      ${watchSql(table, { table: { schema: 'public', name: 'Team' }, resource: 'team', options: {} })}
      ${watchSql(table, { table: { schema: 'public', name: 'Member' }, resource: 'member', options: {} })}`)
    for (const statement of [
      `INSERT INTO "Team" VALUES (1, NULL), (2, 1)`,
      `INSERT INTO "Member" VALUES (2, 'Ada')`,
      `ALTER TABLE "Member" ADD "email" text`,
      `UPDATE "Member" SET "email" = 'ada@example.com'`,
      `UPDATE "Team" SET "id" = 3 WHERE "id" = 1`,
      `DELETE FROM "Team" WHERE "id" = 3`,
      `TRUNCATE "Member"`,
      unwatchSql(table, { schema: 'public', name: 'Member' }),
    ]) {
      await database.sql(statement)
    }
    const write = quoteTable({ ...table, name: `${table.name}_write` })
    await database.sql(`SELECT ${write}($1)`, [
      JSON.stringify([
        {
          ...{ id: randomUUID(), action: 'user.login', actor_id: '1', actor_type: 'user' },
          ...{ resource_type: 'user', outcome: 'success' },
        },
      ]),
    ])
    const recorded = await database.sql<{ entry: string }>(`
      SELECT concat_ws(' ', action, resource_id, details ->> 'cause') AS entry FROM ${quoteTable(table)} ORDER BY seq`)
    expect(recorded.map(({ entry }) => entry)).toEqual([
      'auditLog.watch public."Team"',
      'auditLog.watch public."Member"',
      'team.create 1',
      'team.create 2',
      'member.create Ada',
      'member.update Ada',
      'team.update 1',
      'team.update 2 team.update',
      'team.delete 3',
      'team.delete 2 team.delete',
      'member.delete Ada team.delete',
      'member.truncate',
      'auditLog.unwatch public."Member"',
      'user.login',
    ])
  })

  it('leaves no name of the shipped table behind', async () => {
    const project = await createProject({ 'schema.prisma': datasource() })
    await init(project, { table: 'audit.trail' })
    expect(await project.read(`migrations/${folder}/migration.sql`)).not.toContain('audit_logs')
    // triggers are called alike, whichever log they write to
    expect(
      (await project.read(`migrations/${functionsFolder}/migration.sql`)).replace(/!audit\\*_logs/g, ''),
    ).not.toContain('audit_logs')
    expect(await project.read(`migrations/${readersFolder}/migration.sql`)).not.toContain('audit_logs')
    expect(await project.read(`migrations/${sealsFolder}/migration.sql`)).not.toContain('audit_logs')
  })

  it('takes a name as long as its longest index allows, and no longer', async () => {
    const project = await createProject({ 'schema.prisma': datasource() })
    const database = await createDatabase({ template: 'template1' })
    await init(project, { table: `ü${'x'.repeat(21)}` })
    await applyMigrations(database.url, join(project.directory, 'migrations'))
    const schema = await project.read('schema.prisma')
    expect((await driftScript(database.url, schema)).trim()).toBe('-- This is an empty migration.')

    const error = await cliRefusal(planInit({ directory: project.directory, table: `ü${'x'.repeat(22)}` }))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toContain('Give a name of at most 23 bytes.')
  })

  it.each(['a.b.c', '', '"open', 'a;b'])('refuses the table %j', async (table) => {
    const project = await createProject({ 'schema.prisma': datasource() })
    expect(await cliRefusal(planInit({ directory: project.directory, table }))).toBeInstanceOf(UsageError)
  })
})

describe('the command', () => {
  it('prints with --dry-run what it would write, and writes nothing', async () => {
    const project = await createProject({ 'prisma/schema.prisma': datasource() })
    const before = await project.snapshot()
    const { code, stdout, stderr } = await runCli(['init', '--dry-run'], { cwd: project.directory })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`--- append to prisma/schema.prisma\n${shippedModel}`)
    expect(stdout).toContain(shippedMigration)
    expect(stdout).toContain(shippedFunctions)
    expect(stdout).toContain(shippedReaders)
    expect(stdout).toContain(shippedSeals)
    expect(await project.snapshot()).toEqual(before)
  })

  it('writes and says what to run next', async () => {
    const project = await createProject({ 'prisma/schema.prisma': datasource('public', 'audit') })
    const args = ['init', '--table', 'audit.trail', '--model', 'Trail']
    const { code, stdout } = await runCli(args, { cwd: project.directory })
    expect(code).toBe(0)
    expect(stdout).toContain('npx prisma migrate deploy')
    expect(stdout).toContain('npx prisma generate')
    expect(stdout).toContain("withAudit(client, { table: 'audit.trail' })")
    expect(await project.read('prisma/schema.prisma')).toContain('model Trail {')
    const again = await runCli(args, { cwd: project.directory })
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do') })
  })

  it('exits 1 without a stack where there is no schema', async () => {
    const project = await createProject({})
    const { code, stdout, stderr } = await runCli(['init'], { cwd: project.directory })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^No Prisma schema in [^\n]+\n$/)
  })

  it.each([
    [[], 'No command given.'],
    [['migrate'], 'Unknown command: migrate'],
    [['init', '--json'], "Unknown option '--json'"],
    [['init', 'extra'], 'Unexpected argument'],
    [['init', '--table'], 'argument missing'],
  ])('exits 2 with one line and a pointer to --help for %j', async (args, reason) => {
    const { code, stdout, stderr } = await runCli(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(reason)
    expect(stderr).toMatch(/^[^\n]+\nSee: npx prisma-extension-audit --help\n$/)
  })

  it('has --help and --version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
    const [help, ofCommand, number] = await Promise.all(
      [['--help'], ['init', '-h'], ['--version']].map((args) => runCli(args)),
    )
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: /), stderr: '' })
    expect(help?.stdout).toContain('\n  keygen          Make a key for seals\n')
    expect(ofCommand).toMatchObject({ code: 0, stderr: '' })
    expect(ofCommand?.stdout).toMatch(/^Usage: prisma-extension-audit init \[options\]\n\nAdd the audit log/)
    expect(ofCommand?.stdout).not.toContain('keygen')
    expect(number).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})
