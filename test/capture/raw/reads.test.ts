import { describe, expect, it } from 'vitest'
import { createRaw } from './raw.ts'

const { db, prisma, plain } = await createRaw()

describe('a statement that reads writes no entry, and gives what it gives without the audit', () => {
  it.each([
    'SELECT * FROM "Tag" ORDER BY id',
    'TABLE "Country"',
    `VALUES (1, 'x')`,
    'WITH t AS (SELECT * FROM "Tag") SELECT count(*)::int FROM t',
    'SELECT * FROM "Tag" ORDER BY id FOR UPDATE',
    'SELECT stable_one()',
    `SELECT set_config('audit.test', 'x', true)`,
    `SELECT lower('DELETE FROM "Tag"') AS "UPDATE"`,
    'SELECT generate_series(1, 2)',
    'EXPLAIN (COSTS off) DELETE FROM "Tag"',
    'EXPLAIN (COSTS off) INSERT INTO "Reading" VALUES (writes(), 1)',
    'EXPLAIN (COSTS off, ANALYZE false) DELETE FROM "Tag"',
    'EXPLAIN (COSTS off, ANALYZE 0) DELETE FROM "Tag"',
    'SHOW search_path',
    'SET statement_timeout = 0',
    'COPY (SELECT 1) TO PROGRAM $$cat > /dev/null$$',
    'LISTEN something',
    'NOTIFY something',
    'PREPARE later AS DELETE FROM "Tag"',
    'DEALLOCATE ALL',
    '',
    '-- nothing',
    'SELECT 1; SELECT 2',
  ])('%s', async (sql) => {
    const text = sql.includes('$$') ? sql.replaceAll('$$', "'") : sql
    const run = (client: typeof plain) =>
      client.$executeRawUnsafe(text).then(
        (count) => ({ count }),
        (error: Error) => ({ error: error.message.split('\n').at(-1) }),
      )
    let actual: unknown
    const entries = await db.changesOf(async () => {
      actual = await run(prisma)
    })
    expect(actual).toEqual(await run(plain))
    expect(entries).toEqual([])
  })
})
