import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { otherTransaction, untilWaiting } from '../support/locks.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('a write that waits for a lock', () => {
  it.each(['tag', 'stamped'] as const)(
    'has the state after the other commit as its before: %s',
    async (model) => {
      const isTag = model === 'tag'
      const { id } = isTag
        ? await prisma.tag.create({ data: { name: unique('first') } })
        : await prisma.stamped.create({ data: {} })
      const entries = await db.changesOf(() =>
        otherTransaction(db, async (other) => {
          await other.query(
            isTag
              ? `UPDATE "Tag" SET name = 'theirs ' || id WHERE id = $1`
              : 'UPDATE "Stamped" SET counter = 41 WHERE id = $1',
            [id],
          )
          const mine: Promise<unknown> = isTag
            ? prisma.tag.update({ where: { id }, data: { name: `mine ${id}` } }).then()
            : prisma.stamped.update({ where: { id }, data: { counter: { increment: 1 } } }).then()
          await untilWaiting(db)
          await other.query('COMMIT')
          await mine
        }),
      )
      const [entry] = entries
      expect(entries).toHaveLength(1)
      expect([entry?.details.before, entry?.details.after]).toEqual(
        isTag
          ? [
              { id, name: `theirs ${id}` },
              { id, name: `mine ${id}` },
            ]
          : [
              { id, counter: 41, stampedAt: expect.any(String) },
              { id, counter: 42, stampedAt: expect.any(String) },
            ],
      )
    },
  )

  it('has the state before the other transaction when that is rolled back', async () => {
    const { id, name } = await prisma.tag.create({ data: { name: unique('first') } })
    const [entry] = await db.changesOf(() =>
      otherTransaction(db, async (other) => {
        await other.query(`UPDATE "Tag" SET name = 'theirs ' || id WHERE id = $1`, [id])
        const mine = prisma.tag.update({ where: { id }, data: { name: `mine ${id}` } }).then()
        await untilWaiting(db)
        await other.query('ROLLBACK')
        await mine
      }),
    )
    expect(entry?.details.before).toEqual({ id, name })
  })

  it('writes no entry when the row is gone or no longer matches', async () => {
    const first = await prisma.tag.create({ data: { name: unique('first') } })
    const second = await prisma.stamped.create({ data: { counter: 1 } })
    const entries = await db.changesOf(() =>
      otherTransaction(db, async (other) => {
        await other.query('DELETE FROM "Tag" WHERE id = $1', [first.id])
        await other.query('UPDATE "Stamped" SET counter = 2 WHERE id = $1', [second.id])
        const [tags, stamped] = [
          prisma.tag.updateMany({ where: { id: first.id }, data: { name: 'x' } }).then(),
          prisma.stamped.updateMany({ where: { id: second.id, counter: 1 }, data: { counter: 9 } }).then(),
        ]
        await untilWaiting(db, 2)
        await other.query('COMMIT')
        expect(await tags).toEqual({ count: 0 })
        expect(await stamped).toEqual({ count: 0 })
      }),
    )
    expect(entries).toEqual([])
  })

  it('records a delete with the row as it was after the other commit', async () => {
    const { id } = await prisma.tag.create({ data: { name: unique('first') } })
    const entries = await db.changesOf(() =>
      otherTransaction(db, async (other) => {
        await other.query(`UPDATE "Tag" SET name = 'theirs ' || id WHERE id = $1`, [id])
        const mine = prisma.tag.delete({ where: { id } }).then()
        await untilWaiting(db)
        await other.query('COMMIT')
        await mine
      }),
    )
    expect(entries.map(({ action, details }) => [action, details.before])).toEqual([
      ['tag.delete', { id, name: `theirs ${id}` }],
    ])
  })

  it('sorts after the one it waited for', async () => {
    const { id } = await prisma.tag.create({ data: { name: unique('first') } })
    const names = [unique('theirs'), unique('mine')]
    const entries = await db.changesOf(async () => {
      let mine: Promise<unknown> | undefined
      await prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT id FROM "Tag" WHERE id = ${id} FOR UPDATE`
        mine = prisma.tag.update({ where: { id }, data: { name: names[1] as string } }).then()
        await untilWaiting(db)
        await tx.tag.update({ where: { id }, data: { name: names[0] as string } })
      })
      await mine
    })
    expect(entries.map((entry) => entry.details.after.name)).toEqual(names)
    expect(entries[1]?.timestamp.getTime()).toBeGreaterThanOrEqual(
      entries[0]?.timestamp.getTime() ?? Infinity,
    )
  })

  it('does not lock more than without the audit: two children, then the counter of their parent', async () => {
    await db.sql('CREATE TABLE stamped_child (id serial PRIMARY KEY, parent int REFERENCES "Stamped")')
    const client = withAudit(createClient(db.url))
    const stamped = await client.stamped.create({ data: {} })
    const post = await client.post.create({ data: { title: 'a parent' } })
    // an insert of a child takes a share lock on its parent's key, which an update of other columns passes
    let inserted = 0
    let release: () => void = () => {}
    const bothInserted = new Promise<void>((resolve) => {
      release = resolve
    })
    const run = () =>
      client.$transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO stamped_child (parent) VALUES (${stamped.id})`
        await tx.comment.create({ data: { text: 'a child', postId: post.id } })
        if (++inserted === 2) release()
        await bothInserted
        await tx.stamped.update({ where: { id: stamped.id }, data: { counter: { increment: 1 } } })
        await tx.post.update({ where: { id: post.id }, data: { views: { increment: 1 } } })
      })
    const entries = await db.changesOf(async () => {
      const outcomes = await Promise.allSettled([run(), run()])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    })
    const updates = entries.filter((entry) => entry.action.endsWith('.update'))
    expect(
      updates.map(({ action, details }) => [action, details.before.counter ?? details.before.views]),
    ).toEqual([
      ['stamped.update', 0],
      ['post.update', 0],
      ['stamped.update', 1],
      ['post.update', 1],
    ])
  })

  it('does not lock more than without the audit where the key is assigned its own value', async () => {
    const post = await prisma.post.create({ data: { title: 'saved as a whole' } })
    let inserted = 0
    let release: () => void = () => {}
    const bothInserted = new Promise<void>((resolve) => {
      release = resolve
    })
    const run = () =>
      prisma.$transaction(async (tx) => {
        await tx.comment.create({ data: { text: 'a child', postId: post.id } })
        if (++inserted === 2) release()
        await bothInserted
        await tx.post.update({ where: { id: post.id }, data: { ...post, views: { increment: 1 } } })
      })
    const entries = await db.changesOf(async () => {
      const outcomes = await Promise.allSettled([run(), run()])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    })
    const updates = entries.filter((entry) => entry.action === 'post.update')
    expect(
      updates.map(({ details }) => [details.before.views, details.after.views, details.changed]),
    ).toEqual([
      [0, 1, ['views']],
      [1, 2, ['views']],
    ])
  })
})

describe('an upsert that races an insert of its key', () => {
  const where = (key: string) => ({ key_language: { key, language: 'en' } })

  it('is an update of the row that the other transaction committed', async () => {
    const key = unique('key')
    const entries = await db.changesOf(() =>
      otherTransaction(db, async (other) => {
        await other.query(`INSERT INTO "Translation" VALUES ($1, 'en', $2, 8)`, [key, `theirs ${key}`])
        const mine = prisma.translation
          .upsert({
            where: where(key),
            create: { key, language: 'en', text: `mine ${key}` },
            update: { revision: { increment: 1 } },
          })
          .then()
        await untilWaiting(db)
        await other.query('COMMIT')
        expect(await mine).toEqual({ key, language: 'en', text: `theirs ${key}`, revision: 9 })
      }),
    )
    expect(entries.map(({ action, resource_id, details }) => ({ action, resource_id, details }))).toEqual([
      {
        action: 'translation.update',
        resource_id: `["${key}","en"]`,
        details: {
          operation: 'upsert',
          before: { key, language: 'en', text: `theirs ${key}`, revision: 8 },
          after: { key, language: 'en', text: `theirs ${key}`, revision: 9 },
          changed: ['revision'],
        },
      },
    ])
  })

  it('is a create when the other transaction is rolled back', async () => {
    const key = unique('key')
    const entries = await db.changesOf(() =>
      otherTransaction(db, async (other) => {
        await other.query(`INSERT INTO "Translation" VALUES ($1, 'en', $2, 8)`, [key, `theirs ${key}`])
        const mine = prisma.translation
          .upsert({
            where: where(key),
            create: { key, language: 'en', text: `mine ${key}` },
            update: { revision: { increment: 1 } },
          })
          .then()
        await untilWaiting(db)
        await other.query('ROLLBACK')
        await mine
      }),
    )
    expect(entries.map(({ action, details }) => [action, details.after])).toEqual([
      ['translation.create', { key, language: 'en', text: `mine ${key}`, revision: 1 }],
    ])
  })

  it('is one create and 19 updates when 20 of them race, and the chain of revisions has no gap', async () => {
    for (let round = 0; round < 10; round++) {
      const key = unique('key')
      const entries = await db.changesOf(() =>
        Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            prisma.translation.upsert({
              where: where(key),
              create: { key, language: 'en', text: `${key} ${index}` }, // unique too, and none of the race's business
              update: { revision: { increment: 1 } },
            }),
          ),
        ),
      )
      expect(entries.map((entry) => entry.action)).toEqual([
        'translation.create',
        ...Array.from({ length: 19 }, () => 'translation.update'),
      ])
      expect(
        entries.slice(1).map(({ details }) => [details.before.revision, details.after.revision]),
      ).toEqual(Array.from({ length: 19 }, (_, index) => [index + 1, index + 2]))
    }
  })

  it('is recorded as what happened where Prisma reads first and writes then', async () => {
    const email = unique('upsert@')
    const upsert = (name: string) =>
      prisma.user.upsert({
        where: { email },
        create: { email, name, profile: { create: { bio: 'new' } } },
        update: { name },
        include: { profile: true },
      })
    const created = await db.changesOf(() => upsert('first'))
    const updated = await db.changesOf(() => upsert('second'))
    expect(created.map((entry) => entry.action)).toEqual(['user.create', 'profile.create'])
    expect(updated.map((entry) => entry.action)).toEqual(['user.update'])
    expect(updated[0]?.details.before.name).toBe('first')
  })
})
