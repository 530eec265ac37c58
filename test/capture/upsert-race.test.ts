import { beforeEach, describe, expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { emptyTables } from '../support/empty-tables.ts'
import { otherTransaction, untilWaiting } from '../support/locks.ts'
import { brief, recorded } from '../support/recorded.ts'
import { createLogged } from './statement-log.ts'

// An upsert that changes a key takes the rows below along. The row in conflict, and what is below it, may come in after
// the audit has locked the rows there are, and before the upsert itself.

const db = await createDatabase()
const { prisma, log } = createLogged({ connectionString: db.url })

beforeEach(async () => {
  log.before = undefined
  await emptyTables(db)
})

const post = `INSERT INTO "Post" (id, title) VALUES ('a', 'theirs')`
const comments = `INSERT INTO "Comment" (id, text, "postId") VALUES (1, 'one', 'a'), (2, 'two', 'a')`

const upsert = () =>
  prisma.post.upsert({ where: { id: 'a' }, create: { id: 'a', title: 'ours' }, update: { id: 'b' } })

const isUpsert = (sql: string) => sql.includes('ON CONFLICT') && sql.includes('"audit_logs"')

/** The entries of the upsert, and how often it ran. */
async function recordedBy(work: () => PromiseLike<unknown>) {
  const since = await db.lastSeq()
  const sent = await log.during(work)
  return {
    entries: (await db.changes(since)).map(recorded),
    attempts: sent.filter(({ sql }) => isUpsert(sql)).length,
  }
}

const updated = [
  {
    action: 'post.update',
    id: 'a',
    operation: 'upsert',
    before: { id: 'a', title: 'theirs', views: 0, authorId: null, reviewerId: null },
    after: { id: 'b', title: 'theirs', views: 0, authorId: null, reviewerId: null },
    changed: ['id'],
  },
  ...['one', 'two'].map((text, index) => ({
    action: 'comment.update',
    id: `${index + 1}`,
    operation: 'upsert',
    cause: 'post.update',
    before: { id: index + 1, text, postId: 'a', userId: null },
    after: { id: index + 1, text, postId: 'b', userId: null },
    changed: ['postId'],
  })),
]

describe('an upsert that changes a key', () => {
  it('records the rows below a row that was there before', async () => {
    await db.sql(`${post}; ${comments}`)
    expect(await recordedBy(upsert)).toEqual({ entries: updated, attempts: 1 })
  })

  it('records the rows below a row that comes in between the lock and the upsert', async () => {
    log.before = async ({ sql }) => {
      if (!isUpsert(sql)) return
      log.before = undefined
      await db.sql(`${post}; ${comments}`)
    }
    expect(await recordedBy(upsert)).toEqual({ entries: updated, attempts: 2 })
  })

  it('records the rows below a row that is committed while the upsert waits for it', async () => {
    const shown = await otherTransaction(db, async (other) => {
      await other.query(`${post}; ${comments}`)
      return recordedBy(async () => {
        const upserted = upsert().then((row) => row)
        await untilWaiting(db)
        await other.query('COMMIT')
        await upserted
      })
    })
    expect(shown).toEqual({ entries: updated, attempts: 2 })
  })

  it('records a row once that it creates', async () => {
    const { entries, attempts } = await recordedBy(upsert)
    expect([brief(entries), attempts]).toEqual([['post.create a'], 1])
  })

  it('in an interactive transaction, repeats only itself', async () => {
    log.before = async ({ sql }) => {
      if (!isUpsert(sql)) return
      log.before = undefined
      await db.sql(`${post}; ${comments}`)
    }
    const { entries, attempts } = await recordedBy(() =>
      prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { id: 1, name: 'kept' } })
        await tx.post.upsert({
          where: { id: 'a' },
          create: { id: 'a', title: 'ours' },
          update: { id: 'b' },
        })
      }),
    )
    expect([entries[0]?.action, entries.slice(1), attempts]).toEqual(['tag.create', updated, 2])
    expect(await db.sql('SELECT "postId" FROM "Comment"')).toEqual([{ postId: 'b' }, { postId: 'b' }])
  })

  it('gives the text alone where it does not say which rows are in conflict', async () => {
    await db.sql(`${post}; ${comments}`)
    const { entries } = await recordedBy(
      () =>
        prisma.$executeRaw`INSERT INTO "Post" (id, title) SELECT 'a', 'ours' ON CONFLICT (id) DO UPDATE SET id = 'b'`,
    )
    expect(entries).toEqual([
      {
        action: 'raw.execute',
        id: null,
        operation: '$executeRaw',
        reason: 'upsert-without-values',
        statement: 'INSERT INTO "Post" (id, title) SELECT ?, ? ON CONFLICT (id) DO UPDATE SET id = ?',
      },
    ])
  })
})
