import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser } from '../../src/capture/parse/syntax.ts'
import { MigrationHistory } from '../../src/triggers/migration-history.ts'

beforeAll(loadParser)

/** What the migrations `1`, `2`, … make of tables, in a line for each. */
function follow(...scripts: string[]): string[] {
  const history = historyOf(...scripts)
  return history.tables.map(({ table: { schema, name }, watch, outdatedBy }) => {
    const recorded = watch ? `${watch.resource} ${watch.options} by ${watch.migration}` : 'not recorded'
    return [`${schema}.${name}: ${recorded}`, ...outdatedBy].join(', changed by ')
  })
}

function historyOf(...scripts: string[]): MigrationHistory {
  const migrations = scripts.map((sql, index) => ({ folder: String(index + 1), sql }))
  return new MigrationHistory(migrations, { name: 'audit_logs' }, 'public')
}

const order = `CREATE TABLE "Order" ("id" INTEGER PRIMARY KEY, "note" TEXT)`
const watched = `${order}; SELECT "audit_logs_watch"('"public"."Order"', 'order')`

describe('tables', () => {
  it.each([
    ['CREATE TABLE "Order" ("id" INTEGER)', 'public.Order'],
    ['create table if not exists Orders (id int)', 'public.orders'],
    ['CREATE TABLE "shop"."Order" ("id" INTEGER)', 'shop.Order'],
    ['CREATE TABLE a (LIKE b) PARTITION BY RANGE (x)', 'public.a'],
    ['CREATE FOREIGN TABLE a (id int) SERVER elsewhere', 'public.a'],
  ])('come from %s', (sql, name) => {
    expect(follow(sql)).toEqual([`${name}: not recorded`])
  })

  it('go, and get other names and schemas', () => {
    expect(follow(order, 'DROP TABLE "Order"')).toEqual([])
    expect(follow(watched, 'DROP TABLE "public"."Order" CASCADE', order)).toEqual([
      'public.Order: not recorded',
    ])
    expect(follow(order, 'ALTER TABLE "Order" RENAME TO "Purchase"')).toEqual([
      'public.Purchase: not recorded',
    ])
    expect(follow(order, 'ALTER TABLE "Order" SET SCHEMA shop')).toEqual(['shop.Order: not recorded'])
  })

  it('are not what stands in comments, texts or bodies of functions', () => {
    expect(
      follow(`-- CREATE TABLE a (id int);
        /* CREATE TABLE b (id int); */
        SELECT 'CREATE TABLE c (id int);';
        CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE d (id int); END $$;`),
    ).toEqual([])
  })
})

describe('the last line about a table', () => {
  it.each([
    ['that has it recorded', `SELECT "audit_logs_watch"('"public"."Order"', 'order')`, 'order {} by 2'],
    [
      'with options',
      `SELECT audit_logs_watch('"Order"', 'order', '{"snapshot": "changed"}')`,
      'order {"snapshot": "changed"} by 2',
    ],
    [
      'with casts and a schema',
      `SELECT public.audit_logs_watch('"Order"'::regclass, 'purchase', '{}'::jsonb)`,
      'purchase {} by 2',
    ],
    [
      'after another',
      `SELECT audit_logs_watch('"Order"', 'a'), audit_logs_watch('"Order"', 'b')`,
      'b {} by 2',
    ],
    [
      'that ends it',
      `SELECT audit_logs_watch('"Order"', 'a'); SELECT audit_logs_unwatch('"Order"')`,
      'not recorded',
    ],
    ['of another log', `SELECT other_watch('"Order"', 'order')`, 'not recorded'],
    ['of a log in another schema', `SELECT audit.audit_logs_watch('"Order"', 'order')`, 'not recorded'],
  ])('%s', (_, sql, found) => {
    expect(follow(order, sql)).toEqual([`public.Order: ${found}`])
  })

  it('counts where no migration creates the table', () => {
    expect(follow(`SELECT audit_logs_watch('"shop"."Order"', 'order')`)).toEqual([
      'shop.Order: order {} by 1',
    ])
  })
})

describe('a recorded table', () => {
  it.each([
    'ALTER TABLE "Order" ADD COLUMN "total" MONEY',
    'ALTER TABLE "Order" DROP COLUMN "note"',
    'ALTER TABLE "Order" RENAME COLUMN "note" TO "text"',
    'ALTER TABLE "Order" ALTER COLUMN "note" SET DATA TYPE VARCHAR(10)',
    'ALTER TABLE "Order" DROP CONSTRAINT "Order_pkey", ADD CONSTRAINT "Order_pkey" PRIMARY KEY ("note")',
    'ALTER TABLE "Order" ADD CONSTRAINT "o" FOREIGN KEY ("id") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE NO ACTION',
    'ALTER TABLE "Order" ADD CONSTRAINT "o" FOREIGN KEY ("id") REFERENCES "User" ("id") ON DELETE RESTRICT ON UPDATE CASCADE',
    'ALTER TABLE "Item" ADD CONSTRAINT "o" FOREIGN KEY ("id") REFERENCES "Order" ("id") ON DELETE SET NULL',
    'ALTER TABLE "Order" ADD COLUMN "user" INT REFERENCES "User" ON DELETE CASCADE',
    'CREATE TABLE "BigOrder" ("size" INT) INHERITS ("Order")',
  ])('is outdated by %s', (change) => {
    expect(follow(watched, change)).toContain('public.Order: order {} by 1, changed by 2')
    const [again] = follow(watched, `${change}; SELECT audit_logs_watch('"Order"', 'order')`)
    expect(again).toBe('public.Order: order {} by 2')
  })

  it.each(['ALTER TABLE "Order" RENAME TO "Purchase"', 'ALTER TABLE "Order" SET SCHEMA shop'])(
    'is outdated under its new name by %s',
    (change) => {
      expect(follow(watched, change)).toEqual([
        expect.stringMatching(/^(public\.Purchase|shop\.Order): order \{\} by 1, changed by 2$/),
      ])
    },
  )

  it.each([
    'ALTER TABLE "Order" ALTER COLUMN "note" SET NOT NULL, ALTER COLUMN "note" SET DEFAULT \'\'',
    'ALTER TABLE "Order" ADD CONSTRAINT "o" FOREIGN KEY ("id") REFERENCES "User" ("id") ON DELETE RESTRICT ON UPDATE NO ACTION',
    'ALTER TABLE "Order" ADD CONSTRAINT "u" UNIQUE ("note")',
    'ALTER TABLE "Item" ADD COLUMN "x" INT',
    'CREATE INDEX ON "Order" ("note")',
    'CREATE TABLE IF NOT EXISTS "Order" ("id" INTEGER)',
    'UPDATE "Order" SET "note" = NULL',
  ])('is not outdated by %s', (change) => {
    expect(follow(watched, change)).toEqual(['public.Order: order {} by 1'])
  })
})

it('names a migration that can not be read, and goes on with the next', () => {
  const history = historyOf('CREATE TABLE a (id int', 'CREATE TABLE b (id int)')
  expect(history.unreadable).toEqual(['1'])
  expect(history.tables.map(({ table }) => table.name)).toEqual(['b'])
})
