import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { createClient, createDatabase } from '../../support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))
const plain = createClient(db.url)
afterAll(() => prisma.$disconnect())
const version = await db.serverVersion()

// `nextval('calls')` counts how often a condition is evaluated; no rollback takes that back
await db.sql(`
  CREATE SEQUENCE calls;
  CREATE TABLE stamped_note (sensor text, note text);
  CREATE FUNCTION exclaim() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NEW.note || ''!''; RETURN NEW; END';
  CREATE TRIGGER stamp BEFORE UPDATE ON stamped_note FOR EACH ROW EXECUTE FUNCTION exclaim();
  CREATE TABLE parted (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (3);
  CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (3) TO (100);
  CREATE TABLE parted_child (id int PRIMARY KEY, parted int REFERENCES parted ON DELETE CASCADE);
`)

const tables = [
  ...['Warehouse', 'Shelf', 'Category', 'Stamped', 'Reading', 'stamped_note', 'parted', 'parted_child'],
]

beforeEach(() =>
  db.sql(`
    TRUNCATE ${tables.map((name) => `"${name}"`).join(', ')} CASCADE;
    INSERT INTO "Category" (id, name, "parentId") SELECT n, 'c' || n, CASE WHEN n > 6 THEN n - 6 END FROM generate_series(1, 8) n;
    INSERT INTO "Warehouse" VALUES ('a', 'x'), ('b', 'x'), ('c', 'x');
    INSERT INTO "Shelf" VALUES ('a', 1, NULL), ('b', 1, NULL);
    INSERT INTO "Stamped" (id, counter) VALUES (1, 0), (2, 0), (3, 0);
    INSERT INTO "Reading" VALUES ('s', 1), ('t', 2);
    INSERT INTO stamped_note VALUES ('s', 'one'), ('t', 'two');
    INSERT INTO parted VALUES (1, 'a'), (2, 'b'), (4, 'c');
    INSERT INTO parted_child VALUES (1, 1), (2, 4);
  `),
)

class Undo extends Error {}

/** The result, the rows of all tables, and how often the condition was evaluated. The rows go back to what they were. */
async function outcomeOf(client: typeof plain, sql: string) {
  await db.sql(`SELECT setval('calls', 1, false)`)
  let result: unknown
  let rows: unknown
  await client
    .$transaction(async (tx) => {
      result = /RETURNING/.test(sql) ? await tx.$queryRawUnsafe(sql) : await tx.$executeRawUnsafe(sql)
      const all = tables.map(
        (name) =>
          `SELECT '${name}' AS name, coalesce(jsonb_agg(to_jsonb(t) - 'stamped_at' ORDER BY t::text), '[]') AS rows FROM "${name}" t`,
      )
      rows = await tx.$queryRawUnsafe(`${all.join(' UNION ALL ')} ORDER BY name`)
      throw new Undo()
    })
    .catch((error) => {
      if (!(error instanceof Undo)) throw error
    })
  const [{ calls } = { calls: null }] = await db.sql(
    `SELECT CASE WHEN is_called THEN last_value END AS calls FROM calls`,
  )
  return { result, rows, calls }
}

/** Runs a statement with and without the audit: the same result, and the condition as often; gives the entries. */
async function entriesOf(sql: string): Promise<string[]> {
  const expected = await outcomeOf(plain, sql)
  expect(await outcomeOf(prisma as unknown as typeof plain, sql)).toEqual(expected)
  await db.sql(`SELECT setval('calls', 1, false)`)
  const written = await db.changesOf(() => prisma.$executeRawUnsafe(sql))
  return written.map(({ action, resource_id, details }) =>
    [action, resource_id ?? details.reason].filter(Boolean).join(' '),
  )
}

describe('which rows a statement changes is decided once', () => {
  it('by chance, where a deletion cascades', async () => {
    const entries = await entriesOf(
      `DELETE FROM "Category" WHERE nextval('calls') % 2 = 1 AND "parentId" IS NULL`,
    )
    expect(entries.sort()).toEqual(
      ['Category.delete 1', 'Category.delete 3', 'Category.delete 5', 'Category.delete 7'].map((text) =>
        text.replace('C', 'c'),
      ),
    )
  })

  it('by a subquery that takes what is free, where a deletion cascades', async () => {
    const job = `SELECT id FROM "Category" WHERE nextval('calls') > 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`
    expect(await entriesOf(`DELETE FROM "Category" WHERE id IN (${job}) RETURNING name`)).toEqual([
      'category.delete 1',
      'category.delete 7',
    ])
  })

  it('by a query of the WITH clause, where a deletion cascades', async () => {
    const job = `SELECT id FROM "Category" WHERE nextval('calls') > 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`
    expect(
      await entriesOf(
        `WITH job AS (${job}) DELETE FROM "Category" WHERE id = (SELECT id FROM job) RETURNING name`,
      ),
    ).toEqual(['category.delete 1', 'category.delete 7'])
  })

  it('by a join that returns nothing, where a deletion cascades', async () => {
    const entries = await entriesOf(
      `DELETE FROM "Category" c USING "Warehouse" w WHERE w.code = 'a' AND c."parentId" IS NULL AND nextval('calls') % 2 = 1`,
    )
    expect(entries.sort()).toEqual([1, 3, 5, 7].map((id) => `category.delete ${id}`))
  })

  it('in a partitioned table', async () => {
    expect(await entriesOf(`DELETE FROM parted WHERE nextval('calls') > 0 AND id <> 2 RETURNING id`)).toEqual(
      ['parted.delete 1', 'parted.delete 4', 'parted_child.delete 1', 'parted_child.delete 2'],
    )
  })

  it('where an update of a key cascades', async () => {
    const entries = await entriesOf(
      `UPDATE "Warehouse" SET code = code || '1' WHERE nextval('calls') % 2 = 1`,
    )
    expect(entries.sort()).toEqual(['shelf.update ["a","1"]', 'warehouse.update a', 'warehouse.update c'])
  })

  it('where a trigger changes the rows as well', async () => {
    expect(await entriesOf(`UPDATE "Stamped" SET counter = 1 WHERE nextval('calls') % 2 = 1`)).toEqual([
      'stamped.update 1',
      'stamped.update 3',
    ])
  })

  it('where a trigger changes the rows of a table without a key', async () => {
    expect(await entriesOf(`UPDATE stamped_note SET note = 'new' WHERE nextval('calls') % 2 = 1`)).toEqual([
      'stamped_note.update',
    ])
  })

  it('where a WITH clause chooses the rows that an update joins', async () => {
    const job = `SELECT id FROM "Stamped" WHERE nextval('calls') > 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`
    expect(
      await entriesOf(
        `WITH job AS (${job}) UPDATE "Stamped" s SET counter = 5 FROM job WHERE s.id = job.id RETURNING s.counter`,
      ),
    ).toEqual(['stamped.update 1'])
  })

  it('by the values of an upsert', async () => {
    const sql = `INSERT INTO "Warehouse" VALUES (chr(96 + nextval('calls')::int), 'y') ON CONFLICT (code) DO UPDATE SET city = 'z'`
    expect(await entriesOf(sql)).toEqual([
      version >= 18 ? 'warehouse.update a' : 'raw.execute upsert-without-values',
    ])
  })
})

describe('where that leaves no way to record the rows, the statement runs as it is, and an entry says so', () => {
  it('a deletion that cascades and returns what it joined', async () => {
    expect(
      await entriesOf(
        `DELETE FROM "Category" c USING "Warehouse" w WHERE nextval('calls') % 3 = 1 AND w.code = 'a' RETURNING c.id, w.code`,
      ),
    ).toEqual(['raw.execute unrepeatable'])
  })

  it('an update of a key by a query that can be asked once', async () => {
    const job = `SELECT code FROM "Warehouse" WHERE nextval('calls') > 0 ORDER BY code LIMIT 1 FOR UPDATE SKIP LOCKED`
    expect(
      await entriesOf(`UPDATE "Warehouse" w SET code = 'new' FROM (${job}) AS job WHERE w.code = job.code`),
    ).toEqual(['raw.execute unrepeatable'])
  })

  it('an update with chance in a join, in a table with a trigger', async () => {
    expect(
      await entriesOf(
        `UPDATE "Stamped" s SET counter = 7 FROM "Reading" r WHERE r.sensor = 's' AND nextval('calls') % 2 = 1`,
      ),
    ).toEqual(['raw.execute unrepeatable'])
  })
})
