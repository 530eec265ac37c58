import { readReplicas } from '@prisma/extension-read-replicas'
import { beforeEach, describe, expect, it } from 'vitest'
import { withAuditContext } from '../../src/index.ts'
import type { PrismaClient } from '../generated/extensions/client/client.ts'
import { createDatabase } from '../support/database.ts'
import { connect, createStacks, orders, tablesForExtensions } from './stacks.ts'

/**
 * @prisma/extension-read-replicas 0.5.0 sends reads to clients of replicas. `$primary()` is the client that it was given,
 * so that has to be the audited one. Here the replica is another database, where the author is called Replica.
 */
const setUp = await tablesForExtensions()
const replica = await createDatabase()
await replica.sql(`${setUp}; INSERT INTO "Author" (name) VALUES ('Replica')`)

const extend = (client: PrismaClient) => client.$extends(readReplicas({ replicas: [connect(replica)] }))
const whereAmI = 'SELECT name FROM "Author" WHERE id = 1'

for (const order of orders) {
  describe(`read replicas ${order} withAudit`, async () => {
    const { db, prisma, recordedBy } = await createStacks(order, connect, extend, {
      ...{ setUp, reads: ['Author' as const] },
    })
    const author = { id: 1, name: 'Primary', deleted: false }

    beforeEach(async () => {
      await recordedBy((client) => client.$executeRaw`TRUNCATE "Author", "Book" RESTART IDENTITY`)
      await recordedBy((client) => client.author.create({ data: { name: 'Primary' } }))
    })

    it('writes go to the primary and are recorded there', async () => {
      const entries = await recordedBy((client) =>
        client.author.update({ where: { id: 1 }, data: { name: 'First' } }),
      )
      const after = { ...author, name: 'First' }
      expect(entries).toEqual([
        { action: 'author.update', id: '1', before: author, after, changed: ['name'], operation: 'update' },
      ])
      expect(await db.sql(whereAmI)).toEqual([{ name: 'First' }])
    })

    it('raw writes and transactions go to the primary and are recorded there, with who did it', async () => {
      const since = await db.lastSeq()
      const entries = await recordedBy((client) =>
        withAuditContext({ actor: { id: 'eve', type: 'user' } }, async () => [
          await client.$executeRaw`UPDATE "Author" SET name = 'raw'`,
          await client.$transaction([
            client.author.update({ where: { id: 1 }, data: { name: 'batch' } }),
            client.author.count({ where: { name: 'batch' } }),
          ]),
          await client.$transaction(async (tx) => {
            await tx.author.update({ where: { id: 1 }, data: { name: 'transaction' } })
            return tx.author.count({ where: { name: 'transaction' } })
          }),
        ]),
      )
      expect(entries.map(({ action, operation, after }) => [action, operation, after.name])).toEqual([
        ['author.update', '$executeRaw', 'raw'],
        ['author.update', 'update', 'batch'], // the only operation of the batch that writes
        ['author.update', 'update', 'transaction'],
      ])
      expect((await db.entries(since)).map(({ actor_id }) => actor_id)).toEqual(['eve', 'eve', 'eve'])
    })

    it('$replica() asks a replica, and nothing is recorded of it', async () => {
      const entries = await recordedBy((client) => client.$replica().$queryRawUnsafe(whereAmI))
      expect(entries).toEqual([])
      expect(await prisma.$replica().$queryRawUnsafe(whereAmI)).toEqual([{ name: 'Replica' }])
      expect(await prisma.$queryRawUnsafe(whereAmI)).toEqual([{ name: 'Primary' }])
    })

    it('$disconnect writes out what is queued', async () => {
      const since = await db.lastSeq()
      await prisma.$audit.record({ action: 'author.export', resource: { type: 'author' } }, { queue: true })
      await prisma.$disconnect()
      expect((await db.entries(since)).map(({ action }) => action)).toEqual(['author.export'])
    })

    const primaryWrite = () =>
      recordedBy((client) => client.$primary().author.update({ where: { id: 1 }, data: { name: 'First' } }))
    const read = () => recordedBy((client) => client.author.findFirst({ select: { name: true } }))

    it('reads go to the replica', async () => {
      await read()
      expect(await prisma.author.findFirst({ select: { name: true } })).toEqual({ name: 'Replica' })
      expect(await prisma.$primary().author.findFirst({ select: { name: true } })).toEqual({
        name: 'Primary',
      })
    })

    if (order === 'before') {
      it('$primary() goes past the audit, and so do reads', async () => {
        expect(await primaryWrite()).toEqual([])
        expect(await db.sql(whereAmI)).toEqual([{ name: 'First' }])
        expect(await read()).toEqual([])
      })
      return
    }

    it('what $primary() writes is recorded', async () => {
      expect((await primaryWrite()).map(({ action, after }) => [action, after.name])).toEqual([
        ['author.update', 'First'],
      ])
    })

    it('reads of the replica are recorded, in the log of the primary', async () => {
      expect(await read()).toEqual([
        { action: 'author.read', id: '1', ids: ['1'], count: 1, fields: ['name'], operation: 'findFirst' },
      ])
    })
  })
}

it('the replica was never written to, and has no entry', async () => {
  expect(await replica.sql('SELECT name FROM "Author"')).toEqual([{ name: 'Replica' }])
  expect(await replica.entries()).toEqual([])
})
