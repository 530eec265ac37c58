import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('8 writers, 250 increments each', () => {
  it.each(['post', 'stamped'] as const)(
    'leave 2,000 entries of one %s, and every before equals the previous after',
    { timeout: 180_000 },
    async (model) => {
      const field = model === 'post' ? 'views' : 'counter'
      const { id } =
        model === 'post'
          ? await prisma.post.create({ data: { title: 'contended' } })
          : await prisma.stamped.create({ data: {} })
      const increment = async (): Promise<unknown> =>
        model === 'post'
          ? prisma.post.update({ where: { id: String(id) }, data: { views: { increment: 1 } } })
          : prisma.stamped.update({ where: { id: Number(id) }, data: { counter: { increment: 1 } } })
      const entries = await db.changesOf(() =>
        Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let turn = 0; turn < 250; turn++) await increment()
          }),
        ),
      )
      expect(entries).toHaveLength(2_000)
      expect(entries.map(({ details }) => [details.before[field], details.after[field]])).toEqual(
        Array.from({ length: 2_000 }, (_, index) => [index, index + 1]),
      )
      const broken = entries.filter(
        (entry, index) =>
          index > 0 &&
          JSON.stringify(entry.details.before) !== JSON.stringify(entries[index - 1]?.details.after),
      )
      expect(broken).toEqual([])
      expect(new Set(entries.map((entry) => entry.id)).size).toBe(2_000)
    },
  )
})

const inOrder = (ids: (number | string | null)[]) => ids.map(Number).sort((a, b) => a - b)

describe('a delete with cascades that races inserts of children', () => {
  it('leaves no child that vanished without its entry', { timeout: 120_000 }, async () => {
    const writers = Array.from({ length: 4 }, () => createClient(db.url, { max: 1 }))
    const made: number[] = []
    const entries = await db.changesOf(async () => {
      for (let round = 0; round < 15; round++) {
        const post = await prisma.post.create({ data: { title: 'race' } })
        const inserting = writers.map(async (writer) => {
          for (let isThere = true; isThere; ) {
            await writer.comment.create({ data: { text: 'race', postId: post.id } }).then(
              ({ id }) => made.push(id),
              (error: { code?: string }) => {
                if (error.code !== 'P2003') throw error // no such post any more
                isThere = false
              },
            )
          }
        })
        const enough = made.length + 10
        while (made.length < enough) await sleep(1)
        await prisma.post.delete({ where: { id: post.id } })
        await Promise.all(inserting)
      }
    })
    const deleted = entries.filter((entry) => entry.action === 'comment.delete')
    expect(inOrder(deleted.map((entry) => entry.resource_id))).toEqual(inOrder(made))
    expect(deleted.every((entry) => entry.details.cause === 'post.delete')).toBe(true)
    expect(await db.sql(`SELECT id FROM "Comment" WHERE text = 'race'`)).toEqual([])
  })

  it('two levels deep', { timeout: 120_000 }, async () => {
    const writers = Array.from({ length: 4 }, () => createClient(db.url, { max: 1 }))
    const made: number[] = []
    const entries = await db.changesOf(async () => {
      for (let round = 0; round < 10; round++) {
        const root = await prisma.category.create({
          data: { name: 'root', children: { create: [{ name: 'left' }, { name: 'right' }] } },
          include: { children: true },
        })
        made.push(root.id, ...root.children.map(({ id }) => id))
        const inserting = writers.map(async (writer, index) => {
          const parentId = [root.id, ...root.children.map(({ id }) => id)][index % 3] as number
          for (let isThere = true; isThere; ) {
            await writer.category.create({ data: { name: 'leaf', parentId } }).then(
              ({ id }) => made.push(id),
              (error: { code?: string }) => {
                if (error.code !== 'P2003') throw error
                isThere = false
              },
            )
          }
        })
        const enough = made.length + 10
        while (made.length < enough) await sleep(1)
        await prisma.category.delete({ where: { id: root.id } })
        await Promise.all(inserting)
      }
    })
    const deleted = entries.filter((entry) => entry.action === 'category.delete')
    expect(inOrder(deleted.map((entry) => entry.resource_id))).toEqual(inOrder(made))
  })
})
