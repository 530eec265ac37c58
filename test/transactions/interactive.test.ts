import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AuditError, withAudit } from '../../src/index.ts'
import type { Prisma } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { steps } from '../support/entries.ts'
import { otherTransaction, untilWaiting } from '../support/locks.ts'
import { unique } from '../support/unique.ts'
import { clientWithOneConnection } from './clients.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('an interactive transaction', () => {
  it('commits its entries with its changes, under one transaction id, in order', async () => {
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.country.create({ data: { code: 'AA', name: 'first' } })
        await tx.country.update({ where: { code: 'AA' }, data: { name: 'second' } })
        await tx.country.delete({ where: { code: 'AA' } })
      }),
    )
    expect(entries.map(({ action, resource_id, details }) => ({ action, resource_id, details }))).toEqual([
      {
        action: 'country.create',
        resource_id: 'AA',
        details: { operation: 'create', after: { code: 'AA', name: 'first', population: '0' } },
      },
      {
        action: 'country.update',
        resource_id: 'AA',
        details: {
          operation: 'update',
          before: { code: 'AA', name: 'first', population: '0' },
          after: { code: 'AA', name: 'second', population: '0' },
          changed: ['name'],
        },
      },
      {
        action: 'country.delete',
        resource_id: 'AA',
        details: { operation: 'delete', before: { code: 'AA', name: 'second', population: '0' } },
      },
    ])
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  it('leaves no entry when it throws after its writes', async () => {
    const name = unique('tag')
    const entries = await db.changesOf(async () => {
      const running = prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { name } })
        throw new Error('the application changed its mind')
      })
      await expect(running).rejects.toThrow('the application changed its mind')
    })
    expect(entries).toEqual([])
    expect(await prisma.tag.findUnique({ where: { name } })).toBeNull()
  })

  it('leaves no entry when one of its writes fails', async () => {
    const name = unique('tag')
    const entries = await db.changesOf(async () => {
      const running = prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { name } })
        await tx.tag.create({ data: { name } })
      })
      await expect(running).rejects.toMatchObject({ code: 'P2002' })
    })
    expect(entries).toEqual([])
  })

  it('leaves no entry when it runs out of time', async () => {
    const name = unique('tag')
    const client = clientWithOneConnection(db)
    const entries = await db.changesOf(async () => {
      const running = client.$transaction(
        async (tx) => {
          await tx.tag.create({ data: { name } })
          await sleep(400)
          await tx.tag.create({ data: { name: `${name} late` } })
        },
        { timeout: 150 },
      )
      await expect(running).rejects.toMatchObject({
        code: expect.stringMatching(/^(P2028|P1018)$/), // expired, or ended under a statement
      })
      expect(await client.tag.count({ where: { name } })).toBe(0)
    })
    expect(entries).toEqual([])
  })

  it.each([
    [
      'a delete with cascades waits for a lock',
      (tx: Prisma.TransactionClient, id: string) => tx.post.delete({ where: { id } }),
    ],
    [
      'a nested write waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.post.update({
          where: { id },
          data: { title: 'too late', comments: { create: { text: 'too late' } } },
        }),
    ],
    [
      'an upsert waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.post.upsert({ where: { id }, create: { id, title: 'too late' }, update: { title: 'too late' } }),
    ],
    [
      'raw SQL waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.$executeRaw`UPDATE "Post" SET title = 'too late' WHERE id = ${id}`,
    ],
    [
      'raw SQL that cannot be captured waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.$executeRaw`WITH done AS (UPDATE "Post" SET title = 'too late' WHERE id = ${id}) SELECT 1`,
    ],
  ] as [string, (tx: Prisma.TransactionClient, id: string) => PromiseLike<unknown>][])(
    'leaves nothing when it runs out of time while %s',
    async (_, write) => {
      const client = clientWithOneConnection(db)
      const { id } = await client.post.create({
        data: { title: 'in time', comments: { create: { text: 'in time' } } },
      })
      const entries = await db.changesOf(async () => {
        const running = await otherTransaction(db, async (other) => {
          await other.query('SELECT FROM "Post" WHERE id = $1 FOR UPDATE', [id])
          const transaction = client.$transaction(async (tx) => void (await write(tx, id)), { timeout: 600 })
          transaction.catch(() => {}) // asserted below
          await untilWaiting(db)
          await sleep(900)
          return { transaction }
        })
        await expect(running.transaction).rejects.toThrow(/transaction/i)
        await client.$queryRaw`SELECT 1` // whatever was still to come on the one connection has come
        await sleep(100)
      })
      expect(entries).toEqual([])
      expect(
        await db.sql(
          `SELECT p.title, c.text FROM "Post" p JOIN "Comment" c ON c."postId" = p.id WHERE p.id = $1`,
          [id],
        ),
      ).toEqual([{ title: 'in time', text: 'in time' }])
    },
  )

  it('records writes that run at the same time inside it', async () => {
    const names = Array.from({ length: 10 }, () => unique('tag'))
    const entries = await db.changesOf(() =>
      prisma.$transaction((tx) => Promise.all(names.map((name) => tx.tag.create({ data: { name } })))),
    )
    expect(entries.map((entry) => entry.details.after.name).sort()).toEqual([...names].sort())
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  it('may update a row that it locked with raw SQL', async () => {
    const { id } = await prisma.tag.create({ data: { name: unique('tag') } })
    const name = unique('tag')
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT id FROM "Tag" WHERE id = ${id} FOR UPDATE`
        await tx.$executeRaw`UPDATE "Tag" SET name = name || '!' WHERE id = ${id}`
        await tx.tag.update({ where: { id }, data: { name } })
      }),
    )
    expect(steps(entries)).toEqual([`tag.update ${id}`, `tag.update ${id}`])
    expect(entries[1]?.details.before).toEqual(entries[0]?.details.after)
    expect(entries.map((entry) => entry.details.operation)).toEqual(['$executeRaw', 'update'])
  })

  it('may update a row of a table with a BEFORE UPDATE trigger that it locked with raw SQL', async () => {
    const { id } = await prisma.stamped.create({ data: {} })
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRaw`UPDATE "Stamped" SET counter = 1 WHERE id = ${id}`
        await tx.stamped.update({ where: { id }, data: { counter: { increment: 1 } } })
      }),
    )
    expect(entries.map(({ details }) => [details.before.counter, details.after.counter])).toEqual([
      [0, 1],
      [1, 2],
    ])
  })

  it('goes on after a statement that failed inside a savepoint of raw SQL', async () => {
    const name = unique('tag')
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRaw`SAVEPOINT before_trying`
        await expect(tx.$executeRaw`INSERT INTO no_such_table VALUES (1)`).rejects.toMatchObject({
          code: 'P2010',
        })
        await tx.$executeRaw`ROLLBACK TO SAVEPOINT before_trying`
        await tx.tag.create({ data: { name } })
      }),
    )
    expect(entries.map(({ action, details }) => [action, details.after?.name])).toEqual([
      ['tag.create', name],
    ])
  })

  it.each(['ReadUncommitted', 'ReadCommitted', 'RepeatableRead', 'Serializable'] as const)(
    'keeps its isolation level %s',
    async (isolationLevel) => {
      const { id } = await prisma.stamped.create({ data: {} })
      const name = unique('tag')
      let level: unknown
      const entries = await db.changesOf(() =>
        prisma.$transaction(
          async (tx) => {
            ;[level] = await tx.$queryRaw<unknown[]>`SELECT current_setting('transaction_isolation') AS level`
            await tx.tag.create({ data: { name } })
            await tx.tag.upsert({ where: { name }, create: { name }, update: { name: `${name}!` } })
            await tx.stamped.update({ where: { id }, data: { counter: 5 } })
            await tx.tag.delete({ where: { name: `${name}!` } })
          },
          { isolationLevel },
        ),
      )
      const words = isolationLevel.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
      expect(level).toEqual({ level: words })
      expect(entries.map((entry) => entry.action)).toEqual([
        'tag.create',
        'tag.update',
        'stamped.update',
        'tag.delete',
      ])
    },
  )

  it.each(['RepeatableRead', 'Serializable'] as const)(
    'that loses against another one under %s fails as without the audit, and leaves no entry',
    async (isolationLevel) => {
      const { id } = await prisma.tag.create({ data: { name: unique('tag') } })
      const { id: stampedId } = await prisma.stamped.create({ data: {} })
      const entries = await db.changesOf(async () => {
        for (const write of [
          (tx: Prisma.TransactionClient) => tx.tag.update({ where: { id }, data: { name: unique('lost') } }),
          (tx: Prisma.TransactionClient) => tx.tag.delete({ where: { id } }),
          (tx: Prisma.TransactionClient) =>
            tx.stamped.update({ where: { id: stampedId }, data: { counter: 9 } }),
        ]) {
          const running = prisma.$transaction(
            async (tx) => {
              await tx.tag.count() // takes the snapshot
              await db.sql(`UPDATE "Tag" SET name = name || '.' WHERE id = $1`, [id])
              await db.sql('UPDATE "Stamped" SET counter = counter + 1 WHERE id = $1', [stampedId])
              await write(tx)
            },
            { isolationLevel },
          )
          await expect(running).rejects.toMatchObject({ code: 'P2034' })
        }
      })
      expect(entries).toEqual([])
    },
  )
})

describe('an entry that cannot be written', () => {
  it('takes its change back with it', async () => {
    const name = unique('tag')
    const unwritten: AuditError[] = []
    const strict = withAudit(createClient(db.url), { onError: (error) => unwritten.push(error) })
    await db.sql(
      `ALTER TABLE audit_logs ADD CONSTRAINT nothing_more CHECK (action <> 'tag.create') NOT VALID`,
    )
    try {
      await expect(strict.tag.create({ data: { name } })).rejects.not.toBeInstanceOf(AuditError)
      expect(await strict.tag.findUnique({ where: { name } })).toBeNull()
      // the constraint refuses the entry about the failure as well
      await strict.$audit.flush()
      expect(unwritten).toMatchObject([
        { code: 'AUDIT_NOT_WRITTEN', entry: { action: 'tag.create', outcome: 'failure' } },
      ])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT nothing_more')
    }
  })
})
