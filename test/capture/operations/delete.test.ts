import { beforeEach, describe, expect, it } from 'vitest'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('delete', () => {
  it('records the row that is gone', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss', population: 1n } })
    expect(await recordedBy(() => prisma.country.delete({ where: { code: 'CH' } }))).toEqual([
      {
        action: 'country.delete',
        id: 'CH',
        operation: 'delete',
        before: { code: 'CH', name: 'Swiss', population: '1' },
      },
    ])
  })

  it('of a row that is not there records nothing', async () => {
    expect(await recordedBy(() => prisma.country.delete({ where: { code: 'XX' } }).catch(() => {}))).toEqual(
      [],
    )
  })
})

describe('deleteMany', () => {
  it('records each row that is gone', async () => {
    await prisma.tag.createMany({ data: ['a', 'b', 'c'].map((name) => ({ name })) })
    const entries = await recordedBy(() => prisma.tag.deleteMany({ where: { name: { in: ['a', 'c'] } } }))
    expect(entries.sort((one, other) => Number(one.id) - Number(other.id))).toEqual([
      { action: 'tag.delete', id: '1', operation: 'deleteMany', before: { id: 1, name: 'a' } },
      { action: 'tag.delete', id: '3', operation: 'deleteMany', before: { id: 3, name: 'c' } },
    ])
  })

  it('records no more rows than the limit lets through', async () => {
    await prisma.country.createMany({ data: ['AA', 'BB', 'CC'].map((code) => ({ code, name: code })) })
    const entries = await recordedBy(() => prisma.country.deleteMany({ limit: 2 }))
    expect(entries).toHaveLength(2)
  })
})
