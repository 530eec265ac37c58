import { describe, expect, it } from 'vitest'
import { withAuditContext } from '../../../src/index.ts'
import { watchedTables } from '../../support/watch.ts'
import { createRaw } from './raw.ts'

const { db, prisma, plain, contents } = await createRaw()

const first = `UPDATE "Tag" SET name = 'first' WHERE id = 1`
const second = `INSERT INTO "Tag" (name) VALUES ('second')`
const third = `INSERT INTO "Tag" (name) VALUES ('it''s \\ third')`

/** A text that controls its transaction, and the entries of what it leaves: by statement, and by triggers. */
interface Case {
  sql: string
  /** How many parts of the text are kept. */
  parts: number
  /** The rows that changed. */
  rows: string[]
}

const outside: Record<string, Case> = {
  'a part that is rolled back, and one that is not': {
    sql: `${first}; ROLLBACK; ${second}`,
    parts: 1,
    rows: ['tag.create'],
  },
  'two transactions': {
    sql: `BEGIN; ${first}; COMMIT; BEGIN ISOLATION LEVEL SERIALIZABLE; ${second}; COMMIT`,
    parts: 2,
    rows: ['tag.update', 'tag.create'],
  },
  'a savepoint': {
    sql: `BEGIN; ${first}; SAVEPOINT s; ${second}; ROLLBACK TO s; ${third}; COMMIT -- the end`,
    parts: 2,
    rows: ['tag.update', 'tag.create'],
  },
  'settings of a transaction, which come before all else': {
    sql: `BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; ${first}; COMMIT`,
    parts: 1,
    rows: ['tag.update'],
  },
  'all rolled back': { sql: `BEGIN; ${first}; ROLLBACK`, parts: 0, rows: [] },
}

/** What an interactive transaction that sends the text and then fails leaves. */
const inside: Record<string, Case> = {
  'a rollback': { sql: `${first}; ROLLBACK; ${second}`, parts: 1, rows: ['tag.create'] },
  'a commit': { sql: `${first}; COMMIT; ${second}`, parts: 2, rows: ['tag.update', 'tag.create'] },
  'a commit, and a transaction that is rolled back': {
    sql: `${first}; COMMIT; BEGIN; ${second}`,
    parts: 1,
    rows: ['tag.update'],
  },
  'a savepoint that goes with the rest': { sql: `SAVEPOINT s; ${first}; RELEASE s`, parts: 0, rows: [] },
  'a rollback to an earlier savepoint, and a commit': {
    sql: `${first}; ROLLBACK TO before; ${second}; COMMIT`,
    parts: 1,
    rows: ['tag.create'],
  },
}

type Client = typeof plain

const alone = (sql: string) => (client: Client) => client.$executeRawUnsafe(sql)
const inTransaction = (sql: string) => (client: Client) =>
  client
    .$transaction(async (tx) => {
      await tx.$executeRawUnsafe('SAVEPOINT before')
      await tx.$executeRawUnsafe(sql)
      throw new Error('failed later')
    })
    .catch((error: Error) => error.message)

describe.each([
  ['outside of a transaction', outside, alone],
  ['inside of an interactive transaction', inside, inTransaction],
] as const)('a text that controls its transaction, %s', (_, cases, send) => {
  it.each(Object.entries(cases))(
    '%s: the same rows, and an entry for each part that is kept',
    async (...one) => {
      const { sql, parts, rows } = one[1]
      const result = await send(sql)(plain)
      const expected = await contents()
      await db.sql(
        `TRUNCATE "Tag" RESTART IDENTITY CASCADE; INSERT INTO "Tag" (name) VALUES ('a'), ('b'), ('c')`,
      )
      const entries = await db.changesOf(() =>
        withAuditContext({ actor: { id: "o'hara \\", type: 'user' } }, async () => {
          expect(await send(sql)(prisma as unknown as Client)).toEqual(result)
        }),
      )
      expect(await contents()).toEqual(expected)
      const texts = entries.filter(({ action }) => action === 'raw.execute')
      const changes = entries.filter(({ action }) => action !== 'raw.execute').map(({ action }) => action)
      if (watchedTables === 'none') expect([texts.length, changes]).toEqual([parts, []])
      // other tables have no triggers, and a text of several statements need not say where it writes
      if (watchedTables === 'all') expect(changes).toEqual(rows)
      for (const { actor_id, details } of entries) {
        expect(actor_id).toBe("o'hara \\")
        if (details.reason) expect(details.reason).toBe('several-statements')
      }
    },
  )
})
