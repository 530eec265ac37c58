import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyMigrations } from '../../scripts/schema-engine.ts'
import { planInit } from '../../src/cli/init.ts'
import { writeFiles } from '../../src/cli/planned-files.ts'
import {
  describeCheck,
  describeTriggers,
  planTriggers,
  printTriggers,
  type TriggersOptions,
} from '../../src/cli/triggers.ts'
import { createDatabase } from '../support/database.ts'
import { createProject, datasource, type Project, runCli } from './project.ts'

const now = new Date('2026-03-04T05:06:07Z')

const user = `model User {
  id    Int    @id
  email String @map("e_mail")
}
`
const order = `model Order {
  id Int @id
}
`
const createUser = 'CREATE TABLE "User" ("id" INTEGER PRIMARY KEY, "e_mail" TEXT);'
const createOrder = 'CREATE TABLE "Order" ("id" INTEGER PRIMARY KEY);'
const watchUser = `SELECT "audit_logs_watch"('"public"."User"', 'user', '{"fields":{"e_mail":"email"}}');`
const watchOrder = `SELECT "audit_logs_watch"('"public"."Order"', 'order');`

/** A project with the models User and Order, whose tables triggers record. */
async function createAudited(files: Record<string, string> = {}): Promise<Project> {
  const project = await createProject({
    'schema.prisma': `${datasource()}\n${user}\n${order}`,
    'migrations/20250101000000_tables/migration.sql': `${createUser}\n${createOrder}`,
    ...files,
  })
  const directory = project.directory
  await writeFiles((await planInit({ directory, now: new Date('2025-02-01T00:00:00Z') })).writes)
  return project
}

async function change(project: Project, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(project.directory, path, '..'), { recursive: true })
    await writeFile(join(project.directory, path), text)
  }
}

const migrate = (project: Project, sql: string) =>
  change(project, { 'migrations/20260101000000_change/migration.sql': sql })

const setModels = async (project: Project, ...models: string[]) =>
  change(project, { 'schema.prisma': [datasource(), ...models].join('\n') })

/** Runs `triggers` and gives the lines of SQL that it wrote, with the comments above them. */
async function written(
  project: Project,
  options: Omit<TriggersOptions, 'directory'> = {},
): Promise<string[]> {
  const plan = await planTriggers({ directory: project.directory, now, ...options })
  await writeFiles(plan.writes)
  const path = 'migrations/20260304050607_audit_triggers/migration.sql'
  const sql = plan.writes.length === 0 ? '' : await project.read(path)
  return sql
    .split('\n')
    .slice(2)
    .filter((line) => line !== '')
}

describe('triggers writes a migration', () => {
  it('with nothing, and none, where nothing has changed', async () => {
    const project = await createAudited()
    const before = await project.snapshot()
    const plan = await planTriggers({ directory: project.directory })
    expect(plan.writes).toEqual([])
    expect(describeTriggers(plan)).toBe('Nothing to do: no triggers have to change.\n')
    expect(await project.snapshot()).toEqual(before)
  })

  it('for a model that came, once a migration creates its table', async () => {
    const project = await createAudited()
    await setModels(project, user, order, 'model Item {\n  id Int @id\n}')
    expect(await written(project)).toEqual([])
    await migrate(project, 'CREATE TABLE "Item" ("id" INTEGER PRIMARY KEY);')
    const plan = await planTriggers({ directory: project.directory, now })
    expect(describeTriggers(plan)).toBe(`create migrations/20260304050607_audit_triggers/migration.sql

  "public"."Item": not recorded yet

Next:
  npx prisma migrate deploy      (in development: npx prisma migrate dev)
`)
    expect(await written(project)).toEqual([`SELECT "audit_logs_watch"('"public"."Item"', 'item');`])
    expect((await planTriggers({ directory: project.directory })).changes).toEqual([])
  })

  it('for a table whose columns changed since', async () => {
    const project = await createAudited()
    await migrate(project, 'ALTER TABLE "User" ADD COLUMN "name" TEXT;')
    expect(await written(project)).toEqual(['-- changed by 20260101000000_change', watchUser])
    expect((await planTriggers({ directory: project.directory })).changes).toEqual([])
  })

  it('for a table that referential actions reach since, and the one that they come from', async () => {
    const project = await createAudited()
    await migrate(
      project,
      'ALTER TABLE "Order" ADD CONSTRAINT "o" FOREIGN KEY ("id") REFERENCES "User" ("id") ON DELETE CASCADE;',
    )
    const because = '-- changed by 20260101000000_change'
    expect(await written(project)).toEqual([because, watchUser, because, watchOrder])
  })

  it('for a table and a field that got other names', async () => {
    const project = await createAudited()
    await migrate(project, 'ALTER TABLE "Order" RENAME TO "orders";')
    await setModels(project, user.replace('email ', 'mail  '), order.replace('@id', '@id\n  @@map("orders")'))
    expect(await written(project)).toEqual([
      '-- its options changed',
      watchUser.replace('"email"', '"mail"'),
      '-- changed by 20260101000000_change',
      `SELECT "audit_logs_watch"('"public"."orders"', 'order');`,
    ])
  })

  it('for a model that is called otherwise', async () => {
    const project = await createAudited()
    await setModels(project, user, 'model Purchase {\n  id Int @id\n  @@map("Order")\n}')
    expect(await written(project)).toEqual([
      '-- called order so far, now purchase',
      `SELECT "audit_logs_watch"('"public"."Order"', 'purchase');`,
    ])
  })

  it('that ends the recording of a model that went, unless its table went, too', async () => {
    const project = await createAudited()
    await setModels(project, user)
    const unwatch = `SELECT "audit_logs_unwatch"('"public"."Order"');`
    const why = '-- no longer recorded: its model is gone, or the options leave it out'
    expect(await written(project)).toEqual([why, unwatch])
    await rm(join(project.directory, 'migrations/20260304050607_audit_triggers'), { recursive: true })
    await migrate(project, 'DROP TABLE "Order";')
    expect(await written(project)).toEqual([])
  })

  it('that leaves alone what somebody else has recorded', async () => {
    const project = await createAudited()
    await migrate(project, `SELECT audit_logs_watch('"legacy"', 'legacy');`)
    expect(await written(project)).toEqual([])
  })

  it('by the options of audit.config.ts', async () => {
    const project = await createAudited()
    await change(project, {
      'audit.config.mjs': `export default {
        models: { exclude: ['Order'] }, redact: { User: ['email'] }, snapshot: 'changed',
        context: () => undefined, onError() {}, reads: ['User'],
      }`,
    })
    expect(await written(project)).toEqual([
      '-- no longer recorded: its model is gone, or the options leave it out',
      `SELECT "audit_logs_unwatch"('"public"."Order"');`,
      '-- its options changed',
      `SELECT "audit_logs_watch"('"public"."User"', 'user', '{"fields":{"e_mail":"email"},"redact":["email"],"snapshot":"changed"}');`,
    ])
    expect((await planTriggers({ directory: project.directory })).changes).toEqual([])
  })

  it('with triggers for a database that receives replication, which stay so', async () => {
    const project = await createAudited()
    const withOrigin = [
      watchUser.replace('"}}', '"},"origin":true}'),
      watchOrder.replace(`')`, `', '{"origin":true}')`),
    ]
    const because = '-- its options changed'
    expect(await written(project, { origin: true })).toEqual([because, withOrigin[0], because, withOrigin[1]])
    await change(project, {
      'migrations/20270101000000_items/migration.sql': 'CREATE TABLE "Item" ("id" INTEGER PRIMARY KEY);',
    })
    await setModels(project, user, order, 'model Item {\n  id Int @id\n}')
    const [line] = (await planTriggers({ directory: project.directory })).changes
    expect(line?.sql).toBe(`SELECT "audit_logs_watch"('"public"."Item"', 'item', '{"origin":true}');`)
  })

  it('only where the log has its functions', async () => {
    const project = await createProject({ 'schema.prisma': datasource() })
    await expect(planTriggers({ directory: project.directory })).rejects.toMatchObject({
      code: 'AUDIT_CLI',
      message: expect.stringContaining('Run: npx prisma-extension-audit init'),
    })
  })

  it('and names a migration that can not be read', async () => {
    const project = await createAudited()
    await migrate(project, 'CREATE TABLE "Item" (')
    expect((await planTriggers({ directory: project.directory })).notes).toEqual([
      'The migration 20260101000000_change could not be read, so what it makes of tables is not known.',
    ])
  })

  it('that Prisma applies behind the others', async () => {
    const project = await createAudited()
    const database = await createDatabase({ template: 'template1' })
    await migrate(project, 'ALTER TABLE "User" ADD COLUMN "name" TEXT;')
    await written(project)
    await applyMigrations(database.url, join(project.directory, 'migrations'))
    await database.sql(`INSERT INTO "User" VALUES (1, 'a@b.c', 'Ada')`)
    const actions = await database.sql(
      `SELECT action, details -> 'after' AS after FROM audit_logs ORDER BY seq DESC`,
    )
    expect(actions[0]).toEqual({ action: 'user.create', after: { id: 1, email: 'a@b.c', name: 'Ada' } })
    expect(actions.map(({ action }) => action)).toEqual([
      'user.create',
      ...['auditLog.watch', 'auditLog.watch', 'auditLog.watch'],
    ])
  })
})

describe('triggers --check', () => {
  it('says what differs, and why', async () => {
    const project = await createAudited()
    await migrate(project, 'ALTER TABLE "User" ADD COLUMN "name" TEXT;')
    await setModels(project, user)
    const plan = await planTriggers({ directory: project.directory })
    expect(
      describeCheck(plan),
    ).toBe(`The triggers of these tables are not those that the schema and the options ask for:
  "public"."Order": no longer recorded: its model is gone, or the options leave it out
  "public"."User": changed by 20260101000000_change
Write the migration: npx prisma-extension-audit triggers
`)
  })

  it('writes nothing, and exits with 1 until the migration is there', async () => {
    const project = await createAudited()
    const cwd = project.directory
    await migrate(project, 'ALTER TABLE "User" ADD COLUMN "name" TEXT;')
    const before = await project.snapshot()
    const { code, stdout } = await runCli(['triggers', '--check', '--json'], { cwd })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      changes: [
        {
          table: { schema: 'public', name: 'User' },
          ...{ action: 'watch', isNew: false, reason: 'changed by 20260101000000_change', sql: watchUser },
        },
      ],
      notes: [],
    })
    expect(await project.snapshot()).toEqual(before)
    await written(project)
    expect(await runCli(['triggers', '--check'], { cwd })).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: 'The migrations have triggers for all that the schema and the options say.\n',
    })
  })
})

describe('triggers --print', () => {
  it('gives the SQL for the whole schema, whatever migrations there are', async () => {
    const project = await createProject({ 'other/main.prisma': `${datasource()}\n${user}\n${order}` })
    const printed = await runCli(['triggers', '--print', '--schema', 'other'], { cwd: project.directory })
    expect(printed).toEqual({ code: 0, stderr: '', stdout: `${watchUser}\n${watchOrder}\n` })
  })

  it('names tables in the schema of the connection string, and the log by its table', async () => {
    const project = await createProject({ 'schema.prisma': `${datasource()}\n${order}` })
    const args = ['triggers', '--print', '--table', 'audit.trail', '--origin']
    const { stdout } = await runCli(args, {
      cwd: project.directory,
      env: { DATABASE_URL: 'postgresql://localhost/shop?schema=app' },
    })
    expect(stdout).toBe(`SELECT "audit"."trail_watch"('"app"."Order"', 'order', '{"origin":true}');\n`)
  })

  it.each([['--check'], ['--json']])('goes without %s', async (option) => {
    expect((await runCli(['triggers', '--print', option])).code).toBe(2)
  })

  it('gives a script that does it', async () => {
    const database = await createDatabase({ template: 'template1' })
    const project = await createAudited()
    await database.sql(`${createUser} ${createOrder}`)
    for (const folder of ['20250201000000_audit_log', '20250201000001_audit_log_functions']) {
      await database.sql(await project.read(`migrations/${folder}/migration.sql`))
    }
    await database.sql(await printTriggers({ directory: project.directory }))
    expect(await database.sql('SELECT resource_id FROM audit_logs ORDER BY seq')).toEqual([
      { resource_id: 'public."User"' },
      { resource_id: 'public."Order"' },
    ])
  })
})
