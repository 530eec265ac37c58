import { pagination } from 'prisma-extension-pagination'
import { beforeEach, describe, expect, it } from 'vitest'
import { withAuditContext } from '../../src/index.ts'
import type { PrismaClient } from '../generated/extensions/client/client.ts'
import { connect, createStacks, orders, tablesForExtensions } from './stacks.ts'

/**
 * prisma-extension-pagination 0.7.6 adds `paginate` to every model, which calls `findMany` and `count` of the client that
 * it is called on: the order makes no difference. To know whether there is a next page it reads one record more.
 */
const extend = (client: PrismaClient) => client.$extends(pagination())
const setUp = await tablesForExtensions()
const fields = ['id', 'name', 'deleted']

for (const order of orders) {
  describe(`pagination ${order} withAudit`, async () => {
    const { db, prisma, recordedBy } = await createStacks(order, connect, extend, {
      ...{ setUp, reads: ['Author' as const] },
    })

    beforeEach(async () => {
      await recordedBy((client) => client.$executeRaw`TRUNCATE "Author", "Book" RESTART IDENTITY`)
      const data = ['Ada', 'Eda', 'Eve', 'Grace', 'Mary'].map((name) => ({ name }))
      const entries = await recordedBy((client) => client.author.createMany({ data }))
      expect(entries.map(({ action, id }) => [action, id])).toEqual(
        data.map((_, index) => ['author.create', String(index + 1)]),
      )
    })

    it('a page is what it is without the audit, and each of its reads is recorded', async () => {
      const since = await db.lastSeq()
      const entries = await recordedBy((client) =>
        withAuditContext({ actor: { id: 'eve', type: 'user' } }, () =>
          client.author.paginate({ orderBy: { id: 'asc' } }).withPages({ limit: 2, page: 2 }),
        ),
      )
      expect(entries).toEqual([
        { action: 'author.read', id: null, ids: ['3', '4', '5'], count: 3, fields, operation: 'findMany' },
      ])
      expect((await db.entries(since)).map(({ actor_id }) => actor_id)).toEqual(['eve'])
    })

    it('a page with the number of pages reads no more than it shows; the count is no read', async () => {
      const page = { limit: 2, page: 1, includePageCount: true }
      const ask = (client: Pick<typeof prisma, 'author'>) =>
        client.author
          .paginate({ where: { name: { not: 'Ada' } }, orderBy: { id: 'asc' }, select: { name: true } })
          .withPages(page)
      expect(await ask(prisma)).toEqual([
        [{ name: 'Eda' }, { name: 'Eve' }],
        expect.objectContaining({ pageCount: 2, totalCount: 4, nextPage: 2 }),
      ])
      const [entry, ...others] = await recordedBy(ask)
      expect(others).toEqual([])
      expect(entry).toMatchObject({
        ...{ action: 'author.read', ids: ['2', '3'], count: 2, fields: ['name'] },
        filter: { name: { not: '?' } },
      })
    })

    it('a page by cursor reads a look behind, too', async () => {
      const entries = await recordedBy((client) =>
        client.author.paginate({ orderBy: { id: 'asc' } }).withCursor({ limit: 2, after: '2' }),
      )
      const read = { action: 'author.read', fields, operation: 'findMany' }
      expect(entries).toHaveLength(2)
      expect(entries).toEqual(
        expect.arrayContaining([
          { ...read, id: null, ids: ['3', '4', '5'], count: 3 },
          { ...read, id: '2', ids: ['2'], count: 1 },
        ]),
      )
    })

    it('a page inside a transaction is recorded, and sees what the transaction wrote', async () => {
      const entries = await recordedBy((client) =>
        client.$transaction(async (tx) => {
          await tx.author.update({ where: { id: 1 }, data: { name: 'Lovelace' } })
          return tx.author.paginate({ where: { name: 'Lovelace' } }).withPages({ limit: 5 })
        }),
      )
      expect(entries.map(({ action, id, operation }) => [action, id, operation])).toEqual([
        ['author.update', '1', 'update'],
        ['author.read', '1', 'findMany'],
      ])
    })
  })
}
