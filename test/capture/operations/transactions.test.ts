import { beforeEach, describe, expect, it } from 'vitest'
import { brief } from '../../support/recorded.ts'
import { user } from '../../support/users.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { db, prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('transactions', () => {
  it('all entries of a nested write share its transaction', async () => {
    const since = await db.lastSeq()
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    const transactions = (await db.entries(since)).map(({ transaction_id }) => transaction_id)
    expect(transactions).toHaveLength(2)
    expect(new Set(transactions).size).toBe(1)
  })

  it('create and update of the same row in one batch are two entries in order', async () => {
    const entries = await recordedBy(() =>
      prisma.$transaction([
        prisma.country.create({ data: { code: 'CH', name: 'a' } }),
        prisma.country.update({ where: { code: 'CH' }, data: { name: 'b' } }),
        prisma.country.delete({ where: { code: 'CH' } }),
      ]),
    )
    expect(brief(entries)).toEqual(['country.create CH', 'country.update CH [name]', 'country.delete CH'])
  })

  it('several changes of a row in an interactive transaction are entries of their own', async () => {
    const entries = await recordedBy(() =>
      prisma.$transaction(async (tx) => {
        await tx.country.create({ data: { code: 'CH', name: 'a' } })
        await tx.country.update({ where: { code: 'CH' }, data: { name: 'b' } })
        await tx.country.update({ where: { code: 'CH' }, data: { name: 'a' } })
      }),
    )
    expect(brief(entries)).toEqual([
      'country.create CH',
      'country.update CH [name]',
      'country.update CH [name]',
    ])
  })

  it('what is rolled back leaves no entry', async () => {
    const entries = await recordedBy(() =>
      prisma
        .$transaction(async (tx) => {
          await tx.country.create({ data: { code: 'CH', name: 'a' } })
          throw new Error('no')
        })
        .catch(() => {}),
    )
    expect(entries).toEqual([])
  })
})
