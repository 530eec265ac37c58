import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { PrismaClient } from '../../generated/client/client.ts'
import { createDatabase } from '../../support/database.ts'
import { outcome } from '../../support/outcome.ts'

const db = await createDatabase()
const role = `limited_${new URL(db.url).pathname.slice(1)}`
await db.sql(`
  CREATE ROLE ${role} LOGIN PASSWORD 'x';
  GRANT USAGE ON SCHEMA public TO ${role};
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
  GRANT INSERT, SELECT ON audit_logs TO ${role};
  GRANT SELECT, INSERT, UPDATE, DELETE ON "Category", "Tag", "Country", users, "Post", "_PostToTag" TO ${role};
  GRANT SELECT, UPDATE ON "Profile", "Comment", "_friendship" TO ${role};
  GRANT SELECT, DELETE ON "Warehouse" TO ${role};
  GRANT INSERT ON "Reading" TO ${role};
  GRANT INSERT, UPDATE, SELECT (id, counter) ON "Stamped" TO ${role};
  -- may delete what it may not update, and see all
  ALTER TABLE "Category" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY see ON "Category" FOR SELECT USING (true);
  CREATE POLICY remove ON "Category" FOR DELETE USING (name <> 'kept');
  -- may add what it may not see; may change all, and see some
  ALTER TABLE "Country" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY add ON "Country" FOR INSERT WITH CHECK (true);
  CREATE POLICY change ON "Country" FOR UPDATE USING (true);
  CREATE POLICY see ON "Country" FOR SELECT USING (code <> 'XX');
  -- some posts are hidden, and go with their users' rows
  ALTER TABLE "Post" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON "Post" USING (title <> 'hidden');
`)
const limitedUrl = new URL(db.url)
limitedUrl.username = role
limitedUrl.password = 'x'
const connect = () => new PrismaClient({ adapter: new PrismaPg({ connectionString: limitedUrl.href }) })
const prisma = withAudit(connect())
const plain = connect()
afterAll(async () => {
  await Promise.all([prisma.$disconnect(), plain.$disconnect()])
  await db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

async function reset(): Promise<void> {
  await db.sql(`
    TRUNCATE "Category", "Country", users, "Post", "Warehouse", "Reading", "Stamped", "Tag" RESTART IDENTITY CASCADE;
    INSERT INTO "Category" (id, name, "parentId") VALUES (1, 'one', NULL), (2, 'kept', NULL), (3, 'child', 1);
    INSERT INTO "Country" VALUES ('DE', 'Germany', 80), ('XX', 'secret', 1);
    INSERT INTO users (id, email, created_at, updated_at) VALUES (1, 'a@x.org', '2026-01-01', '2026-01-01');
    INSERT INTO "Post" (id, title, "authorId") VALUES ('p1', 'shown', 1), ('p2', 'hidden', 1);
    INSERT INTO "Warehouse" VALUES ('ZH', 'Zürich');
    INSERT INTO "Shelf" VALUES ('ZH', 1, NULL);
    INSERT INTO "Stamped" (id, counter) VALUES (1, 0)`)
}
beforeEach(reset)

async function contents(): Promise<unknown> {
  const tables = ['Category', 'Country', 'users', 'Post', 'Warehouse', 'Shelf', 'Reading', 'Stamped']
  const queries = tables.map(
    (name) =>
      `SELECT '${name}' AS name, coalesce(jsonb_agg(to_jsonb(t) - 'stamped_at' - 'updated_at' - 'created_at' ORDER BY t::text), '[]') AS rows FROM "${name}" t`,
  )
  return db.sql(`${queries.join(' UNION ALL ')} ORDER BY name`)
}

type Call = (client: PrismaClient) => PromiseLike<unknown>

/** Calls with and without the audit, alone and inside a transaction: the same result and rows; gives the entries. */
async function entriesOf(call: Call): Promise<string[]> {
  const seen: string[][] = []
  const ways: ((client: PrismaClient) => Promise<unknown>)[] = [
    async (client) => call(client),
    (client) => client.$transaction(async (tx) => call(tx as PrismaClient)),
  ]
  for (const way of ways) {
    await reset()
    const expected = await outcome(() => way(plain))
    const rows = await contents()
    await reset()
    const entries = await db.changesOf(async () => {
      expect(await outcome(() => way(prisma as unknown as PrismaClient))).toEqual(expected)
    })
    expect(await contents()).toEqual(rows)
    seen.push(
      entries.map(({ action, resource_id, details }) =>
        [action, resource_id, details.reason].filter(Boolean).join(' '),
      ),
    )
  }
  const [alone = [], inTransaction] = seen
  expect(inTransaction).toEqual(alone)
  return alone.sort()
}

describe('under row-level security a write does what it does without the audit', () => {
  it('a deletion that cascades, of rows that the role may not update', async () => {
    const entries = await entriesOf((client) => client.category.delete({ where: { id: 1 } }))
    expect(entries).toEqual(['category.delete 1', 'category.delete 3', 'raw.execute row-security'])
  })

  it('a deletion that finds nothing has no entry', async () => {
    expect(await entriesOf((client) => client.category.deleteMany({ where: { name: 'kept' } }))).toEqual([])
  })

  it('rows that a referential action changes behind a policy: what is missing is said', async () => {
    const entries = await entriesOf((client) => client.user.delete({ where: { id: 1 } }))
    expect(entries).toEqual(['post.update p1', 'raw.execute row-security', 'user.delete 1'])
  })

  it('an INSERT of a row that the role may not see', async () => {
    await db.sql(`ALTER POLICY see ON "Country" USING (code NOT IN ('XX', 'YY'))`)
    const other = `INSERT INTO "Country" VALUES ('YY', 'n', 1)`
    expect(await entriesOf((client) => client.$executeRawUnsafe(other))).toEqual(['raw.execute privilege'])
  })

  it('an INSERT of a row that the role may see is recorded', async () => {
    const data = [{ code: 'FR', name: 'France', population: 60 }]
    expect(await entriesOf((client) => client.country.createMany({ data }))).toEqual(['country.create FR'])
  })

  it('an UPDATE that reads nothing, of rows that the role may not see', async () => {
    const entries = await entriesOf((client) =>
      client.$executeRawUnsafe(`UPDATE "Country" SET population = 0`),
    )
    expect(entries).toEqual(['raw.execute row-security'])
  })

  it('an UPDATE of all rows through the model', async () => {
    const entries = await entriesOf((client) => client.country.updateMany({ data: { population: 0 } }))
    expect(entries).toEqual(['raw.execute row-security'])
  })

  it('an error is that of the policy', async () => {
    expect(
      await entriesOf((client) => client.$executeRawUnsafe(`INSERT INTO "Category" (name) VALUES ('new')`)),
    ).toEqual([])
  })
})

describe('with privileges on less than an entry needs a write does what it does without the audit', () => {
  it('an INSERT without the right to read', async () => {
    const sql = `INSERT INTO "Reading" VALUES ('s', 1)`
    expect(await entriesOf((client) => client.$executeRawUnsafe(sql))).toEqual(['raw.execute privilege'])
  })

  it('an INSERT with the right to read the columns that it returns', async () => {
    const entries = await entriesOf((client) =>
      client.stamped.create({ data: { id: 7 }, select: { id: true } }),
    )
    expect(entries).toEqual(['raw.execute privilege'])
  })

  it('a deletion that cascades into a table that the role may not read', async () => {
    const entries = await entriesOf((client) =>
      client.$executeRawUnsafe(`DELETE FROM "Warehouse" WHERE code = 'ZH'`),
    )
    expect(entries).toEqual(['raw.execute privilege'])
  })
})

it('a role that passes every policy has every entry, and nothing is said to be missing', async () => {
  const owner = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }))
  const entries = await db.changesOf(() => owner.user.delete({ where: { id: 1 } }))
  expect(entries.map(({ action, resource_id }) => `${action} ${resource_id}`).sort()).toEqual([
    'post.update p1',
    'post.update p2',
    'user.delete 1',
  ])
  await owner.$disconnect()
})

it('a write that may not be recorded whole is refused with uncapturable: throw', async () => {
  const strict = withAudit(connect(), { uncapturable: 'throw' })
  await expect(strict.user.delete({ where: { id: 1 } })).rejects.toMatchObject({ code: 'AUDIT_UNCAPTURABLE' })
  await strict.$disconnect()
})

it('a role that a transaction takes on is asked for', async () => {
  const owner = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }))
  const entries = await db.changesOf(() =>
    owner.$transaction(async (tx) => {
      await tx.$executeRawUnsafe(`SET LOCAL ROLE ${role}`)
      await tx.category.delete({ where: { id: 1 } })
    }),
  )
  expect(entries.map(({ action }) => action)).toContain('raw.execute')
  expect(await db.sql(`SELECT id FROM "Category" ORDER BY id`)).toEqual([{ id: 2 }])
  await owner.$disconnect()
})
