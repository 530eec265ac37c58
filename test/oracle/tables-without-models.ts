import fc from 'fast-check'
import type { RawCall } from './steps.ts'

/** Tables that only raw SQL reaches, beside those of the test schema. */
export const tablesWithoutModels = `
  CREATE TABLE node (code text PRIMARY KEY, touched int NOT NULL DEFAULT 0,
    parent text REFERENCES node ON UPDATE CASCADE ON DELETE SET NULL,
    other text REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE);
  CREATE TABLE counted (id int PRIMARY KEY, node text REFERENCES node ON UPDATE CASCADE ON DELETE SET NULL,
    has_node boolean GENERATED ALWAYS AS (node IS NOT NULL) STORED);`

export const rowsWithoutModels = `
  INSERT INTO node VALUES ('A', 0, NULL, NULL), ('B', 0, 'A', 'A'), ('C', 0, 'B', 'C');
  INSERT INTO counted VALUES (1, 'A'), (2, NULL);`

const id = fc.integer({ min: 1, max: 4 })
const code = fc.constantFrom('A', 'B', 'C', 'D')

const sql = (text: string, ...values: unknown[]): RawCall => ({
  model: '',
  operation: '$executeRawUnsafe',
  args: [text, ...values],
})

/**
 * Statements over them and over the test schema's tables: key changes, joins, upserts. No row's new key is the old one of
 * another row that changes too: whether PostgreSQL refuses that depends on the order that it takes them in.
 */
export const moreStatements: readonly fc.Arbitrary<RawCall>[] = [
  fc
    .record({ code, parent: fc.option(code), other: fc.option(code) })
    .map(({ code, parent, other }) => sql('INSERT INTO node VALUES ($1, 0, $2, $3)', code, parent, other)),
  fc
    .record({ id, code: fc.option(code) })
    .map(({ id, code }) => sql('INSERT INTO counted VALUES ($1, $2)', id, code)),
  fc
    .record({ from: code, to: code })
    .map(({ from, to }) => sql('UPDATE node SET code = $2, touched = touched + 1 WHERE code = $1', from, to)),
  code.map((value) =>
    sql(`UPDATE node SET code = CASE code WHEN $1 THEN 'Z' ELSE code END, touched = touched + 1`, value),
  ),
  fc.constant(sql(`UPDATE node SET code = code || '.' WHERE code NOT LIKE '%.'`)),
  fc.constant(sql('UPDATE node SET parent = other, other = parent')),
  code.map((value) => sql('DELETE FROM node WHERE code = $1', value)),
  code.map((value) => sql('DELETE FROM node WHERE code <> $1', value)),
  fc.constant(sql('UPDATE users SET id = id + 1000 WHERE id < 1000')),
  fc.constant(sql('UPDATE users SET id = id - 1000 WHERE id > 1000')),
  fc.constant(sql(`UPDATE "Post" SET id = id || 'x', "reviewerId" = "authorId" WHERE id NOT LIKE '%x'`)),
  fc.constant(sql('UPDATE "Category" SET "parentId" = id')),
  fc.constant(sql(`UPDATE "Category" SET id = id + 1000, name = 'moved' WHERE id < 1000`)),
  fc.constant(sql('UPDATE "Tag" AS t SET name = u.email FROM users AS u WHERE u.id = t.id')),
  fc.constant(
    sql('DELETE FROM "Comment" AS c USING "Post" AS p WHERE p.id = c."postId" AND p."authorId" IS NULL'),
  ),
  fc.constant(sql('INSERT INTO "Status" SELECT code FROM "Warehouse" ON CONFLICT DO NOTHING')),
  fc.constant(
    sql(
      `INSERT INTO "Country" SELECT left(code || '  ', 2), city, 1 FROM "Warehouse" ON CONFLICT (code) DO NOTHING`,
    ),
  ),
  code.map((value) =>
    sql(
      `INSERT INTO "Warehouse" VALUES ($1, 'a'), ('W', 'w') ON CONFLICT (code) DO UPDATE SET city = excluded.city`,
      value,
    ),
  ),
]
