import { createRequire, Module } from 'node:module'
import { Prisma } from '@prisma/client/extension'
import { beforeEach, describe, expect, it } from 'vitest'
import { withAuditContext } from '../../src/index.ts'
import type { PrismaClient } from '../generated/extensions/client/client.ts'
import { connect, createStacks, dmmf, orders, tablesForExtensions } from './stacks.ts'

/**
 * prisma-extension-soft-delete 2.0.1 makes deletions updates of a flag. Where that changes the operation of the call
 * itself (`delete` → `update`), it goes on with the client that it was given, and else with the query. So it has to be
 * given the audited client.
 */
const require = createRequire(import.meta.url)

let refusal: unknown
try {
  require('prisma-extension-soft-delete')
} catch (error) {
  refusal = error
}

it('does not load on Prisma 7, audit or not: @prisma/client has no Prisma.dmmf, or half of one', () => {
  expect(refusal).toMatchObject({ message: expect.any(String) })
})

/** With the schema where Prisma 6 had it, the extension loads and works. */
function loadWithSchema() {
  const path = require.resolve('@prisma/client')
  require.cache[path] = Object.assign(new Module(path), { loaded: true, exports: { Prisma: { dmmf } } })
  return require('prisma-extension-soft-delete') as typeof import('prisma-extension-soft-delete')
}

const { createSoftDeleteExtension } = loadWithSchema()
const softDelete = createSoftDeleteExtension({ models: { Author: true, Book: true } })
const extend = (client: PrismaClient) => client.$extends(softDelete) as unknown as PrismaClient
const setUp = await tablesForExtensions()

/** The entry of a deletion: `deleted` was set. */
function deletion(resource: string, row: { id: number }, operation: string) {
  return {
    action: `${resource}.update`,
    id: String(row.id),
    before: { ...row, deleted: false },
    after: { ...row, deleted: true },
    changed: ['deleted'],
    operation,
  }
}

const ada = { id: 1, name: 'Ada' }
const [one, two] = [
  { id: 1, title: 'One', authorId: 1 },
  { id: 2, title: 'Two', authorId: 1 },
]

for (const order of orders) {
  describe(`soft delete ${order} withAudit`, async () => {
    const { db, prisma, recordedBy } = await createStacks(order, connect, extend, { setUp })

    beforeEach(async () => {
      await recordedBy((client) => client.$executeRaw`TRUNCATE "Author", "Book" RESTART IDENTITY`)
      await recordedBy((client) =>
        client.author.create({
          data: { name: 'Ada', books: { create: [{ title: 'One' }, { title: 'Two' }] } },
        }),
      )
    })

    it('a nested delete and deleteMany are recorded as the updates that they are', async () => {
      const nested = (books: object) =>
        recordedBy((client) => client.author.update({ where: { id: 1 }, data: { books } }))
      expect(await nested({ delete: { id: 1 } })).toEqual([deletion('book', one, 'update')])
      expect(await nested({ deleteMany: { title: 'Two' } })).toEqual([deletion('book', two, 'update')])
    })

    it('what is deleted is read no more, and reads are no entries', async () => {
      await recordedBy((client) =>
        client.author.update({ where: { id: 1 }, data: { books: { delete: { id: 1 } } } }),
      )
      const entries = await recordedBy(async (client) => {
        const author = await client.author.findFirst({ include: { books: true } })
        expect(author?.books).toEqual([{ ...two, deleted: false }])
        expect(await client.book.findUnique({ where: { id: 1 } })).toBeNull()
        return author
      })
      expect(entries).toEqual([])
    })

    it('other writes are what they are without the extension', async () => {
      const entries = await recordedBy((client) =>
        client.$transaction(async (tx) => {
          await tx.book.updateMany({ where: { id: 1 }, data: { title: 'Uno' } })
          return tx.book.upsert({ where: { id: 9 }, create: { id: 9, title: 'Nine' }, update: {} })
        }),
      )
      expect(entries.map(({ action, id, operation }) => [action, id, operation])).toEqual([
        ['book.update', '1', 'updateMany'],
        ['book.create', '9', 'upsert'],
      ])
    })

    if (order === 'before') {
      it('a delete of its own goes past the audit, to the client that the extension was given', async () => {
        expect(await recordedBy((client) => client.author.delete({ where: { id: 1 } }))).toEqual([])
        expect(await recordedBy((client) => client.book.deleteMany({ where: { id: 1 } }))).toEqual([])
        expect(await db.sql('SELECT FROM "Author" WHERE deleted')).toHaveLength(1)
      })
      return
    }

    it('delete and deleteMany are recorded as the updates that they are, with who did it', async () => {
      const since = await db.lastSeq()
      const entries = await recordedBy((client) =>
        withAuditContext({ actor: { id: 'eve', type: 'user' } }, async () => [
          await client.author.delete({ where: { id: 1 } }),
          await client.book.deleteMany({ where: { id: 1 } }),
        ]),
      )
      expect(entries).toEqual([deletion('author', ada, 'update'), deletion('book', one, 'updateMany')])
      expect((await db.entries(since)).map(({ actor_id }) => actor_id)).toEqual(['eve', 'eve'])
    })

    it('a delete that finds nothing is one failure: of the update that it is', async () => {
      const entries = await recordedBy((client) => client.author.delete({ where: { id: 404 } }))
      expect(entries).toEqual([{ action: 'author.update', id: '404', operation: 'update' }])
    })

    it('a delete in a transaction leaves it, which is what the extension does: the log has what the table has', async () => {
      const entries = await recordedBy((client) =>
        client.$transaction(async (tx) => {
          await tx.book.create({ data: { title: 'Three' } })
          await tx.author.delete({ where: { id: 1 } })
          throw new Error('changed my mind')
        }),
      )
      expect(entries).toEqual([deletion('author', ada, 'update')])
      expect(await db.sql('SELECT id, deleted FROM "Author"')).toEqual([{ id: 1, deleted: true }])
    })

    it('a deletion can be undone', async () => {
      await recordedBy((client) => client.author.delete({ where: { id: 1 } }))
      const { entries } = await prisma.$audit.history('Author', 1, { limit: 1 })
      const [undone] = await prisma.$audit.revert(entries[0]?.id ?? '')
      expect(undone).toMatchObject({ action: 'author.update', after: { ...ada, deleted: false } })
      expect(await prisma.author.findUnique({ where: { id: 1 } })).toEqual({ ...ada, deleted: false })
    })
  })
}

const byHand = (client: PrismaClient) =>
  client.$extends({
    model: {
      author: {
        softDelete(id: number) {
          return Prisma.getExtensionContext(this).update({ where: { id }, data: { deleted: true } })
        },
      },
    },
  })

for (const order of orders) {
  describe(`a soft delete by hand, on the client that it is called on, ${order} withAudit`, async () => {
    const { recordedBy } = await createStacks(order, connect, byHand, { setUp })

    it('is recorded, also in transactions, and rolls back with them', async () => {
      await recordedBy((client) => client.author.createMany({ data: [{ name: 'Ada' }, { name: 'Eve' }] }))
      const eve = { id: 2, name: 'Eve' }
      const undone = await recordedBy((client) =>
        client.$transaction(async (tx) => {
          await tx.author.softDelete(1)
          throw new Error('changed my mind')
        }),
      )
      expect(undone).toEqual([])
      const entries = await recordedBy(async (client) => [
        await client.$transaction([client.author.softDelete(1)]),
        await client.$transaction((tx) => tx.author.softDelete(2)),
      ])
      expect(entries).toEqual([deletion('author', ada, 'update'), deletion('author', eve, 'update')])
    })
  })
}
