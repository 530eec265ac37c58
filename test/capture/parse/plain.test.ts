import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { countParameters } from '../../../src/capture/parse/parameters.ts'
import { readPlain } from '../../../src/capture/parse/plain.ts'
import { type PlainWrite, readStatement } from '../../../src/capture/parse/statement.ts'
import { loadParser, parseSql } from '../../../src/capture/parse/syntax.ts'
import { classify } from '../../../src/capture/parse/uncapturable.ts'
import { unqualifiedTable } from '../../../src/capture/parse/written-tables.ts'
import { carryContext } from '../../../src/capture/rewrite/carry-context.ts'
import type { Catalog } from '../../../src/postgres/catalog.ts'
import { serverOf } from '../../../src/postgres/server.ts'

beforeAll(loadParser)

const catalog = { server: serverOf(180_000), writingFunctions: new Set(['f']) } as unknown as Catalog

/** What the audit needs to know of a statement that triggers record, and what becomes of it, but for spaces and folds. */
function facts(write: PlainWrite) {
  const assigned = 'assigned' in write ? write.assigned : undefined
  const { sql, surplus } = carryContext(write, 'call()', false)
  const carrying = sql.replace(/\s+|\/\*fold:0\*\//g, '')
  return { kind: write.kind, table: write.table, assigned, surplus, carrying }
}

function byParser(sql: string) {
  const syntax = parseSql(sql)
  const [first, ...others] = syntax?.statements ?? []
  if (!syntax || !first) return undefined
  expect(others, sql).toEqual([])
  expect(unqualifiedTable(syntax), sql).toBeUndefined()
  const parameterCount = countParameters(syntax)
  if (first.type === 'SelectStmt') {
    expect(classify(syntax, catalog), sql).toEqual({ kind: 'read' })
    return { parameterCount, write: undefined }
  }
  const write = readStatement(first.type, first.node, syntax, catalog.server)
  return { parameterCount, write: facts(write) }
}

function byItself(sql: string) {
  const plain = readPlain(sql)
  return plain && { ...plain, write: plain.write && facts(plain.write) }
}

const table = '"public"."Order"'

describe("statements in Prisma's form are read as PostgreSQL's parser reads them", () => {
  it.each([
    `INSERT INTO ${table} ("customer","total") VALUES ($1,$2) RETURNING "public"."Order"."id"`,
    `INSERT INTO ${table} ("level") VALUES (CAST($1::text AS "public"."Level")) RETURNING "id", "level"::text`,
    `INSERT INTO ${table} DEFAULT VALUES RETURNING "id"`,
    `INSERT INTO ${table} ("a") VALUES ($1), ($2), (DEFAULT) ON CONFLICT DO NOTHING`,
    `INSERT INTO ${table} ("a") VALUES (/*fold:0*/($1))`,
    `INSERT INTO ${table} ("a","b") VALUES ($1,$2) ON CONFLICT ("a") DO UPDATE SET "b" = $3, "c" = $4 WHERE ("public"."Order"."a" = $5) RETURNING "a"`,
    `INSERT INTO ${table} ("a") VALUES ($1) ON CONFLICT ("a") WHERE "b" DO UPDATE SET "b" = $2`,
    `UPDATE ${table} SET "a" = $1, "b" = ("public"."Order"."b" + $2) WHERE ("public"."Order"."id" = $3 AND 1=1) RETURNING "id"`,
    `UPDATE ${table} SET "a" = NULL WHERE 1=1`,
    `UPDATE ${table} SET "a" = $1`,
    `UPDATE ${table} SET "a" = COALESCE("a", $1) WHERE "id" IN ($2,$3) AND "b" NOT IN (SELECT "b" FROM "public"."B" WHERE "b" = $4)`,
    `UPDATE ${table} SET "WHERE" = $1, "a""b" = $2 WHERE "RETURNING" = $3 RETURNING "SET"`,
    `DELETE FROM ${table} WHERE ("public"."Order"."id" = $1 AND 1=1) RETURNING "public"."Order"."id"`,
    `DELETE FROM ${table}`,
    `DELETE FROM ${table} WHERE ("a" IS NULL OR "b" ILIKE $1 OR "c" = -1.5)`,
    `SELECT "public"."Order"."id" FROM ${table} WHERE ("id" = $1 AND 1=1) ORDER BY "id" ASC NULLS LAST LIMIT $2 OFFSET $3`,
  ])('%s', (sql) => {
    expect(byItself(sql)).toEqual(byParser(sql))
    expect(byItself(sql)).toBeDefined()
  })
})

describe('any other statement is left to the parser', () => {
  it.each([
    ['a name without a schema', 'UPDATE "Order" SET "a" = $1'],
    ['small letters', `update ${table} set "a" = $1`],
    ['a string', `UPDATE ${table} SET "a" = 'x'`],
    ['a dollar quote', `UPDATE ${table} SET "a" = $$ WHERE $$`],
    ['a comment', `UPDATE ${table} SET "a" = $1 /* WHERE */`],
    ['a line comment', `UPDATE ${table} SET "a" = $1 -- WHERE`],
    ['two statements', `DELETE FROM ${table}; DELETE FROM "public"."B"`],
    ['an alias', `UPDATE ${table} AS "o" SET "a" = $1`],
    ['a join', `UPDATE ${table} SET "a" = $1 FROM "public"."B" WHERE "b" = $2`],
    ['USING', `DELETE FROM ${table} USING "public"."B"`],
    ['a cursor', `DELETE FROM ${table} WHERE CURRENT OF "c"`],
    ['INSERT of a query', `INSERT INTO ${table} ("a") SELECT "a" FROM "public"."B"`],
    ['OVERRIDING', `INSERT INTO ${table} ("a") OVERRIDING SYSTEM VALUE VALUES ($1)`],
    ['columns by a list', `UPDATE ${table} SET ("a","b") = ($1,$2)`],
    ['an element of an array', `UPDATE ${table} SET "a"[1] = $1`],
    ['a function', `SELECT f($1)`],
    ['a function with a quoted name', `SELECT "f"($1)`],
    ['a function of a schema', `SELECT "public"."f"($1)`],
    ['SELECT INTO', `SELECT "a" INTO "b" FROM ${table}`],
    ['a lock', `SELECT "a" FROM ${table} FOR UPDATE`],
    ['a writing WITH', `WITH "x" AS (DELETE FROM ${table}) SELECT 1`],
    ['a name by code points', `UPDATE U&"public"."Order" SET "a" = $1`],
    ['brackets that do not close', `UPDATE ${table} SET "a" = ($1`],
  ])('%s', (_, sql) => {
    expect(readPlain(sql)).toBeUndefined()
  })
})

it("whatever a text is made of, it means what PostgreSQL's parser says, or is left to it", () => {
  const piece = fc.constantFrom(
    ...[
      '"a"',
      '"a""b"',
      '"WHERE"',
      '"public"."B"',
      '$1',
      '$2',
      '1',
      '1.5',
      '=',
      ',',
      '(',
      ')',
      '+',
      '-',
      '*',
      '.',
      '::text',
    ],
    ...[
      'SET',
      'WHERE',
      'RETURNING',
      'AND',
      'OR',
      'NOT',
      'IN',
      'NULL',
      'IS',
      'DEFAULT',
      'VALUES',
      'CAST',
      'AS',
      'SELECT',
      'FROM',
    ],
    ...[
      'ON',
      'CONFLICT',
      'DO',
      'NOTHING',
      'UPDATE',
      'INTO',
      'DELETE',
      'EXISTS',
      'LIMIT',
      'COALESCE',
      '"a" = $1',
      '("a")',
    ],
    ...['f', "'x'", '/*', '*/', '--', ';', '$$', 'E', '/*fold:0*/', '[', ']', 'WITH', 'FOR', 'DISTINCT'],
  )
  const head = fc.constantFrom(
    ...[
      `UPDATE ${table} SET "a" = $1`,
      `UPDATE ${table} SET`,
      `DELETE FROM ${table}`,
      `DELETE FROM ${table} WHERE`,
    ],
    ...[
      `INSERT INTO ${table} ("a","b") VALUES ($1,$2)`,
      `INSERT INTO ${table} ("a") VALUES`,
      'SELECT',
      `SELECT "a" FROM ${table}`,
    ],
    `INSERT INTO ${table} ("a") VALUES ($1) ON CONFLICT ("a") DO UPDATE SET`,
  )
  let compared = 0
  fc.assert(
    fc.property(head, fc.array(piece, { maxLength: 9 }), (start, pieces) => {
      const sql = [start, ...pieces].join(' ')
      const plain = byItself(sql)
      // what is no SQL fails on the server, as it would without the audit
      const parsed = plain && byParser(sql)
      if (!parsed) return
      compared++
      expect(plain).toEqual(parsed)
    }),
    { numRuns: 50_000, seed: 20261128 },
  )
  expect(compared).toBeGreaterThan(500)
}, 120_000)
