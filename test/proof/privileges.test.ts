import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const database = await createDatabase()
const role = `app_${randomUUID().slice(0, 8)}`
const documented = [...readFileSync('docs/privileges.md', 'utf8').matchAll(/^```sql\n(.*?)^```/gms)]
  .map(([, sql]) => sql)
  .join('')
const tables = await database.sql<{ name: string }>(
  `SELECT format('%I', relname) AS name FROM pg_class
   WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'audit_logs'`,
)
await database.sql(`
  CREATE ROLE ${role} LOGIN PASSWORD 'app';
  GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables.map(({ name }) => name).join(', ')} TO ${role};
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
  ${documented.replaceAll('TO app;', `TO ${role};`)}`)
afterAll(() => database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
const url = Object.assign(new URL(database.url), { username: role, password: 'app' })
const prisma = withAudit(createClient(url.toString()))

describe('a role with the documented grants', () => {
  it('can use the library', async () => {
    await prisma.$audit.verify()
    const { id } = await prisma.user.create({ data: { email: 'a@b.c', posts: { create: { title: 'one' } } } })
    await prisma.user.upsert({ where: { id }, create: { email: 'a@b.c' }, update: { name: 'two' } })
    await prisma.user.delete({ where: { id } })
    await prisma.$audit.record({ action: 'user.login', resource: { type: 'user', id: '1' } })
    const { entries } = await prisma.$audit.search({})
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
