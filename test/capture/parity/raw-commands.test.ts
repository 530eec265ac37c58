import { describe } from 'vitest'
import { Prisma } from '../../generated/client/client.ts'
import { at } from '../../support/users.ts'
import { createTwins } from './twins.ts'

const { same } = await createTwins()

describe('raw commands give the same count', () => {
  const execute = (name: string, sql: string, ...values: unknown[]) =>
    same(`${name}: ${sql.slice(0, 100)}`, (db) => db.$executeRawUnsafe(sql, ...values))

  execute('insert', `INSERT INTO "Tag" (name) VALUES ('x'), ('y')`)
  execute('insert', `INSERT INTO "Tag" (name) VALUES ('a'), ('y') ON CONFLICT DO NOTHING`)
  execute('insert with returning', `INSERT INTO "Tag" (name) VALUES ('x'), ('y') RETURNING id`)
  execute(
    'upsert',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('y') ON CONFLICT (name) DO UPDATE SET name = excluded.name`,
  )
  execute(
    'upsert with a condition',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('y') ON CONFLICT (name) DO UPDATE SET name = 'x' WHERE false`,
  )
  execute('update', `UPDATE "Tag" SET name = name`)
  execute('update of nothing', `UPDATE "Tag" SET name = 'x' WHERE false`)
  execute('update with parameters', `UPDATE "Tag" SET name = $2 WHERE id = $1`, 1, 'x')
  execute('update of a key', `UPDATE "Warehouse" SET code = 'BE'`)
  execute('update on a table with a trigger', `UPDATE guarded SET note = 'x'`)
  execute('update that a trigger skips', `UPDATE guarded SET note = 'skip'`)
  execute(
    'update of joined rows',
    `UPDATE users SET name = $$x$$ FROM "Comment" AS c WHERE c."userId" = users.id OR users.id = 1`,
  )
  execute('update of partitions', `UPDATE parted SET name = 'x'`)
  execute('delete', `DELETE FROM "Tag"`)
  execute('delete that cascades', `DELETE FROM users WHERE id IN (1, 2)`)
  execute('delete of links', `DELETE FROM "_PostToTag"`)
  execute('select', `SELECT 1`)
  execute('several statements', `DELETE FROM "Tag" WHERE id = 1; DELETE FROM "Comment"`)
  execute('several statements, a read first', `SELECT 1; DELETE FROM "Comment"`)
  execute('truncate', `TRUNCATE "Reading"`)
  execute('do', `DO $$ BEGIN INSERT INTO "Tag" (name) VALUES ('do'); END $$`)
  execute('set', `SET LOCAL statement_timeout = 1000`)
  execute('create', `CREATE TABLE IF NOT EXISTS made2 (a int)`)
  execute('create index concurrently', `CREATE INDEX CONCURRENTLY made_index ON made2 (a)`)
  execute('vacuum', `VACUUM made2`)
  execute('drop', `DROP TABLE made2`)
  execute('copy', `COPY "Reading" TO PROGRAM 'cat > /dev/null'`)
  same('a tagged template', (db) => db.$executeRaw`UPDATE "Tag" SET name = ${'x'} WHERE id = ${1}`)
  same(
    'joined values',
    (db) => db.$queryRaw`DELETE FROM "Tag" WHERE id IN (${Prisma.join([1, 2])}) RETURNING id, name`,
  )
  same('raw parts', (db) =>
    db.$queryRaw(Prisma.sql`UPDATE ${Prisma.raw('"Tag"')} SET name = ${'z'} WHERE id = ${1} RETURNING name`),
  )
  same(
    'typed values',
    (db) => db.$queryRaw`
    INSERT INTO "Everything" (id, bigint, "decimal", timestamp, bytes, texts, boolean, jsonb)
    VALUES (${1n}, ${2n ** 60n}, ${new Prisma.Decimal('1.5')}, ${at}, ${new Uint8Array([1, 2])}, ${['a', 'b']}, ${true}, ${'{"a":1}'}::jsonb)
    RETURNING id, bigint, "decimal", timestamp, bytes, texts, boolean, jsonb`,
  )
})
