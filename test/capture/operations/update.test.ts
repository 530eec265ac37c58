import { beforeEach, describe, expect, it } from 'vitest'
import { brief, briefSorted } from '../../support/recorded.ts'
import { at, user } from '../../support/users.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('update', () => {
  it('records the row before and after, and which fields changed', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss', population: 8_000_000n } })
    const entries = await recordedBy(() =>
      prisma.country.update({ where: { code: 'CH' }, data: { name: 'Switzerland', population: 8_000_000n } }),
    )
    expect(entries).toEqual([
      {
        action: 'country.update',
        id: 'CH',
        operation: 'update',
        before: { code: 'CH', name: 'Swiss', population: '8000000' },
        after: { code: 'CH', name: 'Switzerland', population: '8000000' },
        changed: ['name'],
      },
    ])
  })

  it('names changed fields as the schema does, not the table', async () => {
    await prisma.user.create({ data: user(1, { passwordHash: 'old' }) })
    const [entry] = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { loginCount: 3, passwordHash: 'new', updatedAt: at } }),
    )
    expect(entry?.changed).toEqual(['passwordHash', 'loginCount'])
    expect([entry?.before.passwordHash, entry?.after.passwordHash]).toEqual(['[redacted]', '[redacted]'])
  })

  it('writes no entry when nothing changes', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss' } })
    await prisma.user.create({ data: user(1) })
    expect(
      await recordedBy(async () => {
        await prisma.country.update({ where: { code: 'CH' }, data: { name: 'Swiss' } })
        await prisma.country.update({ where: { code: 'CH' }, data: {} })
        await prisma.country.updateMany({ data: { population: { increment: 0n } } })
        await prisma.user.update({ where: { id: 1 }, data: { email: 'u1@x.org', updatedAt: at } })
      }),
    ).toEqual([])
  })

  it('writes no entry when no row is found', async () => {
    expect(
      await recordedBy(() =>
        prisma.country.update({ where: { code: 'XX' }, data: { name: 'x' } }).catch(() => {}),
      ),
    ).toEqual([])
  })

  it('records a change from and to null', async () => {
    await prisma.user.create({ data: user(1) })
    const entries = await recordedBy(async () => {
      await prisma.user.update({ where: { id: 1 }, data: { name: 'Ada', updatedAt: at } })
      await prisma.user.update({ where: { id: 1 }, data: { name: null, updatedAt: at } })
    })
    expect(entries.map(({ before, after, changed }) => [before.name, after.name, changed])).toEqual([
      [null, 'Ada', ['name']],
      ['Ada', null, ['name']],
    ])
  })

  it('records an enum by its labels in the database', async () => {
    await prisma.user.create({ data: user(1) })
    const [entry] = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { level: 'HIGH', updatedAt: at } }),
    )
    expect([entry?.before.level, entry?.after.level]).toEqual(['low', 'high level'])
  })

  it('finds the row by any unique key and further conditions', async () => {
    await prisma.user.create({ data: user(1) })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { email: 'u1@x.org', loginCount: { lt: 1 }, posts: { none: {} } },
        data: { loginCount: 1, updatedAt: at },
      }),
    )
    expect(brief(entries)).toEqual(['user.update 1 [loginCount]'])
  })

  it('records what a BEFORE UPDATE trigger made of the row', async () => {
    await prisma.stamped.create({ data: {} })
    const [entry] = await recordedBy(() => prisma.stamped.update({ where: { id: 1 }, data: { counter: 1 } }))
    expect(entry).toMatchObject({
      action: 'stamped.update',
      before: { counter: 0, stampedAt: null },
      after: { counter: 1, stampedAt: expect.stringMatching(/^20.+Z$/) },
      changed: ['counter', 'stampedAt'],
    })
  })
})

describe('atomic number operations', () => {
  it('records the numbers before and after', async () => {
    await prisma.everything.create({
      data: { id: 1n, integer: 10, bigint: 9_007_199_254_740_993n, decimal: '1.10', double: 3 },
    })
    const entries = await recordedBy(async () => {
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { increment: 5 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { decrement: 6 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { multiply: 4 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { divide: 8 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integer: { set: 0 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { bigint: { increment: 1n } } })
      await prisma.everything.update({ where: { id: 1n }, data: { decimal: { multiply: '1.10' } } })
      await prisma.everything.update({ where: { id: 1n }, data: { double: { divide: 2 } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integers: { push: [1, 2] } } })
      await prisma.everything.update({ where: { id: 1n }, data: { integers: { push: 3 } } })
    })
    expect(
      entries.map(({ before, after, changed: [field] }) => [field, before[field], after[field]]),
    ).toEqual([
      ['integer', 10, 15],
      ['integer', 15, 9],
      ['integer', 9, 36],
      ['integer', 36, 4],
      ['integer', 4, 0],
      ['bigint', '9007199254740993', '9007199254740994'],
      ['decimal', '1.100000000000000000000000000000', expect.stringMatching(/^1\.210*$/)],
      ['double', 3, 1.5],
      ['integers', null, [1, 2]],
      ['integers', [1, 2], [1, 2, 3]],
    ])
  })
})

describe('updateMany', () => {
  it('records the rows that changed, and only those', async () => {
    await prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] })
    await prisma.post.createMany({
      data: ['p1', 'p2', 'p3'].map((id, views) => ({ id, title: id, views })),
    })
    const entries = await recordedBy(async () => {
      expect(await prisma.post.updateMany({ data: { views: 1 } })).toEqual({ count: 3 })
    })
    expect(briefSorted(entries)).toEqual(['post.update p1 [views]', 'post.update p3 [views]'])
    expect(entries[0]?.operation).toBe('updateMany')
  })

  it('records no more rows than the limit lets through', async () => {
    await prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] })
    const entries = await recordedBy(async () => {
      const changed = await prisma.post.createMany({
        data: ['p1', 'p2', 'p3'].map((id) => ({ id, title: id })),
      })
      expect(changed).toEqual({ count: 3 })
      expect(await prisma.post.updateMany({ data: { views: 5 }, limit: 2 })).toEqual({ count: 2 })
    })
    expect(brief(entries).filter((line) => line.includes('update'))).toHaveLength(2)
  })

  it('follows conditions on other tables', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    await prisma.post.create({ data: { id: 'p2', title: 'two' } })
    const entries = await recordedBy(() =>
      prisma.post.updateMany({ where: { author: { email: { contains: 'u1' } } }, data: { title: 'x' } }),
    )
    expect(brief(entries)).toEqual(['post.update p1 [title]'])
  })
})

describe('updateManyAndReturn', () => {
  it('records the rows that changed, and gives all that matched', async () => {
    await prisma.post.createMany({ data: ['p1', 'p2'].map((id, views) => ({ id, title: id, views })) })
    const entries = await recordedBy(async () => {
      const posts = await prisma.post.updateManyAndReturn({ data: { views: 1 }, select: { id: true } })
      expect(posts.map(({ id }) => id).sort()).toEqual(['p1', 'p2'])
    })
    expect(brief(entries)).toEqual(['post.update p1 [views]'])
    expect(entries[0]?.operation).toBe('updateManyAndReturn')
  })
})
