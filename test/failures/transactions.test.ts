import { describe, expect, it } from 'vitest'
import { withAuditContext } from '../../src/index.ts'
import { createFailing, failure } from './failing.ts'

const { db, audited, failing } = await createFailing()

const taken = { reason: 'P2002: Unique constraint failed on the constraint: `Tag_name_key`' }

describe.each([1, 10])('with a pool of %i, a write that fails', (max) => {
  const prisma = audited({}, { max })

  it('in an interactive transaction leaves one failure entry, and no success entry', async () => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const { error, entries } = await failing(
      () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'new' } })
          await tx.tag.create({ data: { id: 9, name: 'taken' } })
        }),
      prisma,
    )
    expect(error.code).toBe('P2002')
    expect(entries.map(failure)).toEqual([
      { action: 'tag.create', id: '9', ...taken, details: { operation: 'create' } },
    ])
    expect(await db.sql('SELECT name FROM "Tag"')).toEqual([{ name: 'taken' }])
  })

  it('and is caught in an interactive transaction leaves an entry for each call, since each failed', async () => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const { entries } = await failing(
      () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'taken' } }).catch(() => {})
          await tx.tag.create({ data: { name: 'other' } })
        }),
      prisma,
    )
    expect(entries.map(failure)).toEqual([
      { action: 'tag.create', id: null, ...taken, details: { operation: 'create' } },
      {
        action: 'tag.create',
        id: null,
        reason:
          'P2039: Database error. Code: `25P02`. Message: `current transaction is aborted, commands ignored until end of transaction block`',
        details: { operation: 'create' },
      },
    ])
  })

  it('after the time-out of its transaction is recorded', async () => {
    const { error, entries } = await failing(
      () =>
        prisma.$transaction(
          async (tx) => {
            await tx.tag.create({ data: { name: 'one' } })
            await new Promise((resolve) => setTimeout(resolve, 1_200))
            await tx.tag.create({ data: { name: 'two' } })
          },
          { timeout: 1_000 },
        ),
      prisma,
    )
    expect(error.code).toBe('P2028')
    expect(entries.map(failure)).toEqual([
      {
        action: 'tag.create',
        id: null,
        reason: expect.stringMatching(
          /^P2028: Transaction API error: .* expired transaction\. The timeout .* 1000 ms/,
        ),
        details: { operation: 'create' },
      },
    ])
  })

  it('in a $transaction([…]) leaves one failure entry for its call, durable before the error is thrown', async () => {
    await db.sql(`INSERT INTO "Tag" (id, name) VALUES (-1, 'taken')`)
    const { error, entries } = await failing(() =>
      prisma.$transaction([
        prisma.tag.create({ data: { name: 'new' } }),
        prisma.tag.update({ where: { id: 1 }, data: { name: 'taken' } }),
        prisma.user.create({ data: { email: 'later' } }),
      ]),
    )
    expect(error.code).toBe('P2002')
    expect(entries.map(failure)).toEqual([
      { action: 'tag.update', id: '1', ...taken, details: { operation: 'update' } },
    ])
    expect(await db.sql('SELECT name FROM "Tag"')).toEqual([{ name: 'taken' }])
  })

  it('with all others of its $transaction([…]) at the end of it leaves one entry', async () => {
    await db.sql('CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
    try {
      const { error, entries } = await failing(() =>
        prisma.$transaction([
          prisma.user.count(),
          prisma.$executeRaw`INSERT INTO late VALUES (1), (1)`,
          prisma.tag.create({ data: { name: 'new' } }),
        ]),
      )
      expect(error.name).toBe('DriverAdapterError')
      expect(entries.map(failure)).toEqual([
        {
          action: 'raw.execute',
          id: null,
          reason: '23505: duplicate key value violates unique constraint "late_a_key"',
          details: { operation: '$executeRaw' },
        },
      ])
    } finally {
      await db.sql('DROP TABLE late')
    }
  })

  it('in the end of an interactive transaction leaves an entry for the transaction', async () => {
    await db.sql('CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
    try {
      const context = { actor: { id: 'ada', type: 'user' }, metadata: { job: 7 } } as const
      const { error, entries } = await failing(() =>
        withAuditContext(context, () =>
          prisma.$transaction(async (tx) => {
            await tx.tag.create({ data: { name: 'new' } })
            await (tx as unknown as typeof prisma).$transaction(
              (nested) => nested.$executeRaw`INSERT INTO late VALUES (1), (1)`,
            )
          }),
        ),
      )
      expect(error.name).toBe('DriverAdapterError')
      expect(entries.map(failure)).toEqual([
        {
          action: 'transaction.commit',
          id: null,
          reason: '23505: duplicate key value violates unique constraint "late_a_key"',
          details: { operation: '$transaction', metadata: { job: 7 } },
        },
      ])
      expect(entries.map(({ actor_id }) => actor_id)).toEqual(['ada'])
    } finally {
      await db.sql('DROP TABLE late')
    }
  })

  it('by a time-out before the end of its transaction leaves an entry for the transaction', async () => {
    const runOut = (work: (tx: Pick<typeof prisma, 'tag'>) => Promise<unknown>) =>
      failing(() =>
        prisma.$transaction(
          async (tx) => {
            await work(tx)
            await new Promise((resolve) => setTimeout(resolve, 1_200))
          },
          { timeout: 1_000 },
        ),
      )
    const { error, entries } = await runOut((tx) => tx.tag.create({ data: { name: 'one' } }))
    expect(error.code).toBe('P2028')
    expect(entries.map(failure)).toEqual([
      {
        action: 'transaction.commit',
        id: null,
        reason: expect.stringMatching(/^P2028: Transaction API error: .* expired transaction/),
        details: { operation: '$transaction' },
      },
    ])
    expect((await runOut((tx) => tx.tag.findMany())).entries).toEqual([])
  })

  it('many at once leave an entry each', async () => {
    await db.sql(`INSERT INTO "Tag" (name) VALUES ('taken')`)
    const since = await db.lastSeq()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        prisma.tag.create({ data: { id: 100 + index, name: 'taken' } }),
      ),
    )
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(
      (await db.entries(since)).map(({ resource_id }) => Number(resource_id)).sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, index) => 100 + index))
  })
})
