import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase, type Database } from '../support/database.ts'
import { watchTables } from '../support/watch.ts'

const document = readFileSync('docs/privileges.md', 'utf8')
const database = await createDatabase()
const { prisma } = await connectAs(database, 'A role that also writes tables without triggers')

describe('a role with the documented grants for tables without triggers', () => {
  it('can use the library', async () => {
    await prisma.$audit.verify()
    const { id } = await prisma.user.create({ data: { email: 'a@b.c', posts: { create: { title: 'one' } } } })
    await prisma.user.upsert({ where: { id }, create: { email: 'a@b.c' }, update: { name: 'two' } })
    await prisma.user.delete({ where: { id } })
    await prisma.$audit.record({ action: 'user.login', resource: { type: 'user', id: '1' } })
    const { entries } = await prisma.$audit.search({ action: ['user.*', 'post.*'] })
    expect(entries.map(({ action }) => action).reverse()).toEqual([
      ...['user.create', 'post.create', 'user.update', 'user.delete', 'post.update', 'user.login'],
    ])
  })

  it.each([
    `UPDATE audit_logs SET reason = 'mine'`,
    'DELETE FROM audit_logs',
    'TRUNCATE audit_logs',
    'ALTER TABLE audit_logs DROP COLUMN reason',
    'ALTER TABLE audit_logs DISABLE TRIGGER ALL',
    'ALTER TABLE audit_logs RENAME TO mine',
    'DROP TABLE audit_logs',
    'DROP TRIGGER audit_logs_refuse_update ON audit_logs',
    'CREATE RULE none AS ON INSERT TO audit_logs DO INSTEAD NOTHING',
    'ALTER FUNCTION audit_logs_immutable RENAME TO mine',
    `CREATE OR REPLACE FUNCTION audit_logs_immutable() RETURNS trigger LANGUAGE sql AS ''`,
    'SET session_replication_role = replica',
    `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
       VALUES (gen_random_uuid(), now() - interval '1 year', 'a.b', 'x', 'user', 'a')`,
  ])('is refused: %s', async (statement) => {
    const before = await database.sql('SELECT * FROM audit_logs WHERE outcome = $1 ORDER BY seq', ['success'])
    expect(before.length).toBeGreaterThan(0)
    const refused = prisma.$executeRawUnsafe(statement).then(() => 'done')
    await expect(refused).rejects.toMatchObject({
      meta: { driverAdapterError: { cause: { originalCode: '42501' } } },
    })
    expect(
      await database.sql('SELECT * FROM audit_logs WHERE outcome = $1 ORDER BY seq', ['success']),
    ).toEqual(before)
  })
})

describe('a role with the documented grants for tables with triggers', async () => {
  const watched = await createDatabase()
  await watchTables(watched, readFileSync('test/prisma/schema.prisma', 'utf8'), 'all')
  const [execute = ''] = grantsOf('A role that writes only tables with triggers')
  const writer = await connectAs(watched, [execute])
  const { prisma } = writer

  it('can use the library, and has nothing on the log', async () => {
    await prisma.$audit.verify()
    const entries = await watched.entriesOf(async () => {
      const { id } = await prisma.user.create({
        data: { email: 'a@b.c', posts: { create: { title: 'one' } } },
      })
      await prisma.user.upsert({ where: { id }, create: { email: 'a@b.c' }, update: { name: 'two' } })
      await prisma.user.delete({ where: { id } })
      await prisma.user.create({ data: { id: -1, email: 'd@e.f' } })
      await prisma.user.create({ data: { id: -1, email: 'd@e.f' } }).catch(() => {})
      await prisma.$audit.logLogin('ada', true)
    })
    expect(entries.map(({ action, outcome }) => `${action} ${outcome}`).sort()).toEqual([
      ...['post.create success', 'post.update success', 'user.create failure', 'user.create success'],
      ...['user.create success', 'user.delete success', 'user.login success', 'user.update success'],
    ])
    const refused = prisma.$audit.search({})
    await expect(refused).rejects.toMatchObject({
      code: 'AUDIT_UNREADABLE',
      message: expect.stringContaining('SQLSTATE 42501'),
    })
  })

  it('cannot tell of a change so that it looks like one that the database saw', async () => {
    const entry = await watched.changeOf(() =>
      prisma.$audit.record({ action: 'user.update', resource: { type: 'user', id: '1' } }),
    )
    expect(entry.details).toEqual({ operation: 'logDataChange' })
  })

  it.each([
    'SELECT FROM audit_logs',
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
       VALUES (gen_random_uuid(), 'user.delete', 'x', 'user', 'user')`,
    `UPDATE audit_logs SET reason = 'mine'`,
    'DELETE FROM audit_logs',
    'ALTER TABLE users DISABLE TRIGGER ALL',
    `SELECT audit_logs_unwatch('users')`,
    `SELECT audit_logs_watch('users', 'other')`,
    'SELECT "audit_logs_internal"."attribution"()',
    `DO $$ BEGIN
       CREATE TEMPORARY TABLE mine (id int);
       CREATE TRIGGER forge AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION "audit_logs_internal"."public.users"();
     END $$`,
  ])('is refused by the database: %s', async (statement) => {
    const client = new pg.Client(writer.url)
    await client.connect()
    onTestFinished(() => client.end())
    const last = await watched.lastSeq()
    await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' })
    expect(await watched.lastSeq()).toBe(last)
  })
})

/** The SQL of a section of the document, block by block. */
function grantsOf(section: string): string[] {
  const [, text = ''] = document.split(`## ${section}\n`)
  const [own = ''] = text.split('\n## ')
  return [...own.matchAll(/^```sql\n(.*?)^```/gms)].map(([, sql = '']) => sql)
}

/** An audited client in a role of its own, with privileges on every table but the log, and on that only what is documented. */
async function connectAs(to: Database, granted: string | string[]) {
  const role = `app_${randomUUID().slice(0, 8)}`
  const tables = await to.sql<{ name: string }>(
    `SELECT format('%I', relname) AS name FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'audit_logs'`,
  )
  const grants = Array.isArray(granted) ? granted : grantsOf(granted)
  expect(grants.length).toBeGreaterThan(0)
  await to.sql(`
    CREATE ROLE ${role} LOGIN PASSWORD 'app';
    GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables.map(({ name }) => name).join(', ')} TO ${role};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
    ${grants.join('').replaceAll('TO app;', `TO ${role};`)}`)
  afterAll(() => to.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const url = Object.assign(new URL(to.url), { username: role, password: 'app' }).toString()
  return { url, prisma: withAudit(createClient(url)) }
}
