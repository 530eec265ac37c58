import {
  type Generated,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import kyselyExtension from 'prisma-extension-kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { withAuditContext } from '../../src/index.ts'
import type { PrismaClient } from '../generated/extensions/client/client.ts'
import { connect, createStacks, orders, tablesForExtensions } from './stacks.ts'

/**
 * prisma-extension-kysely 4.0.0 sends what Kysely builds through `$queryRawUnsafe` and `$executeRawUnsafe` of the client
 * that it was given, or of the transaction. So it has to be given the audited client.
 */
interface Tables {
  Author: { id: Generated<number>; name: string; deleted: Generated<boolean> }
  Book: { id: Generated<number>; title: string; deleted: Generated<boolean>; authorId: number | null }
}

const extend = (client: PrismaClient) =>
  client.$extends(
    kyselyExtension({
      kysely: (driver) =>
        new Kysely<Tables>({
          dialect: {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => driver,
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
        }),
    }),
  )

const setUp = await tablesForExtensions()
const ada = { id: 1, name: 'Ada', deleted: false }
const grace = { id: 2, name: 'Grace', deleted: false }

for (const order of orders) {
  describe(`kysely ${order} withAudit`, async () => {
    const { db, prisma, recordedBy } = await createStacks(order, connect, extend, { setUp })
    const names = async () =>
      (await db.sql<{ name: string }>('SELECT name FROM "Author" ORDER BY id')).map(({ name }) => name)

    beforeEach(async () => {
      await recordedBy((client) => client.$executeRaw`TRUNCATE "Author", "Book" RESTART IDENTITY`)
      await recordedBy((client) => client.author.create({ data: { name: 'Ada' } }))
    })

    it("Prisma's own calls are recorded as ever", async () => {
      const entries = await recordedBy((client) => client.author.create({ data: { name: 'Grace' } }))
      expect(entries).toEqual([{ action: 'author.create', id: '2', after: grace, operation: 'create' }])
    })

    if (order === 'before') {
      it('$kysely goes past the audit, to the client that the extension was given', async () => {
        const entries = await recordedBy(async ({ $kysely }) => [
          await $kysely.insertInto('Author').values({ name: 'Grace' }).returningAll().execute(),
          await $kysely.deleteFrom('Author').where('id', '=', 1).executeTakeFirst(),
        ])
        expect(entries).toEqual([])
        expect(await names()).toEqual(['Grace'])
      })

      it('on a client that is extended again, by the audit or another, tx.$kysely leaves the transaction', async () => {
        for (const client of [prisma, extend(connect(db)).$extends({})]) {
          const undone = client.$transaction(async (tx) => {
            await tx.$kysely.insertInto('Author').values({ name: 'Grace' }).execute()
            throw new Error('changed my mind')
          })
          await expect(undone).rejects.toThrow('changed my mind')
        }
        expect(await names()).toEqual(['Ada', 'Grace', 'Grace'])
      })
      return
    }

    it('insert, update and delete are recorded, with RETURNING and without', async () => {
      const entries = await recordedBy(async ({ $kysely }) => [
        await $kysely.insertInto('Author').values({ name: 'Grace' }).returning(['name as called']).execute(),
        await $kysely
          .insertInto('Author')
          .values([{ name: 'Eda' }, { name: 'Eve' }])
          .executeTakeFirst(),
        await $kysely
          .updateTable('Author')
          .set({ name: 'Lovelace' })
          .where('name', '=', 'Ada')
          .executeTakeFirst(),
        await $kysely
          .updateTable('Author')
          .set({ deleted: true })
          .where('id', '=', 1)
          .returningAll()
          .execute(),
        await $kysely.deleteFrom('Author').where('id', '=', 3).executeTakeFirst(),
        await $kysely.deleteFrom('Author').where('id', '=', 4).returning('id').execute(),
      ])
      const [returned, counted] = [{ operation: '$queryRawUnsafe' }, { operation: '$executeRawUnsafe' }]
      const [eda, eve] = [
        { ...ada, id: 3, name: 'Eda' },
        { ...ada, id: 4, name: 'Eve' },
      ]
      const lovelace = { ...ada, name: 'Lovelace' }
      expect(entries).toEqual([
        { action: 'author.create', id: '2', after: grace, ...returned },
        { action: 'author.create', id: '3', after: eda, ...counted },
        { action: 'author.create', id: '4', after: eve, ...counted },
        { action: 'author.update', id: '1', before: ada, after: lovelace, changed: ['name'], ...counted },
        {
          ...{ action: 'author.update', id: '1', before: lovelace, after: { ...lovelace, deleted: true } },
          ...{ changed: ['deleted'], ...returned },
        },
        { action: 'author.delete', id: '3', before: eda, ...counted },
        { action: 'author.delete', id: '4', before: eve, ...returned },
      ])
    })

    it('upserts, joins and expressions are recorded', async () => {
      await recordedBy((client) => client.book.create({ data: { title: 'One', authorId: 1 } }))
      const entries = await recordedBy(async ({ $kysely }) => [
        await $kysely
          .insertInto('Author')
          .values([ada, grace])
          .onConflict((conflict) =>
            conflict.column('id').doUpdateSet((eb) => ({ name: eb.ref('excluded.name') })),
          )
          .returning('id')
          .execute(),
        await $kysely
          .updateTable('Book')
          .from('Author')
          .set((eb) => ({ title: eb.ref('Author.name') }))
          .whereRef('Book.authorId', '=', 'Author.id')
          .returning('Book.title')
          .execute(),
        await $kysely
          .with('gone', (qc) => qc.selectFrom('Author').select('id').where('name', '=', 'Grace'))
          .deleteFrom('Author')
          .where('id', 'in', (qb) => qb.selectFrom('gone').select('id'))
          .executeTakeFirst(),
        await sql`UPDATE "Author" SET name = ${'Eda'} WHERE id = ${1}`.execute($kysely),
      ])
      expect(entries.map(({ action, id, changed }) => [action, id, changed])).toEqual([
        ['author.create', '2', undefined],
        ['book.update', '1', ['title']],
        ['author.delete', '2', undefined],
        ['author.update', '1', ['name']],
      ])
    })

    it('a transaction commits or rolls back its entries, and has the context', async () => {
      const since = await db.lastSeq()
      const entries = await recordedBy((client) =>
        withAuditContext({ actor: { id: 'eve', type: 'user' } }, () =>
          client.$transaction(async (tx) => {
            await tx.$kysely.updateTable('Author').set({ name: 'Lovelace' }).execute()
            return tx.author.update({ where: { id: 1 }, data: { deleted: true } })
          }),
        ),
      )
      expect(entries.map(({ action, changed }) => [action, changed])).toEqual([
        ['author.update', ['name']],
        ['author.update', ['deleted']],
      ])
      const written = await db.entries(since)
      expect(written.map(({ actor_id }) => actor_id)).toEqual(['eve', 'eve'])
      expect(new Set(written.map(({ transaction_id }) => transaction_id)).size).toBe(1)

      const undone = await recordedBy((client) =>
        client.$transaction(async (tx) => {
          await tx.$kysely.deleteFrom('Author').execute()
          throw new Error('changed my mind')
        }),
      )
      expect(undone).toEqual([])
      expect(await names()).toEqual(['Lovelace'])
    })

    it('a statement that fails is a failure, and a read is nothing', async () => {
      const failed = await recordedBy(({ $kysely }) => $kysely.insertInto('Author').values(ada).execute())
      expect(failed).toEqual([{ action: 'raw.execute', id: null, operation: '$executeRawUnsafe' }])
      expect(await recordedBy(({ $kysely }) => $kysely.selectFrom('Author').selectAll().execute())).toEqual(
        [],
      )
      expect(await prisma.$kysely.selectFrom('Author').selectAll().execute()).toEqual([ada])
    })
  })
}
