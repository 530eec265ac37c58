import { beforeEach, describe, expect, it } from 'vitest'
import { brief } from '../../support/recorded.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('upsert', () => {
  it('is recorded as the create or the update that happened, in one statement', async () => {
    const upsert = (name: string) =>
      prisma.country.upsert({ where: { code: 'CH' }, create: { code: 'CH', name }, update: { name } })
    expect(await recordedBy(() => upsert('Swiss'))).toEqual([
      {
        action: 'country.create',
        id: 'CH',
        operation: 'upsert',
        after: { code: 'CH', name: 'Swiss', population: '0' },
      },
    ])
    expect(await recordedBy(() => upsert('Switzerland'))).toEqual([
      {
        action: 'country.update',
        id: 'CH',
        operation: 'upsert',
        before: { code: 'CH', name: 'Swiss', population: '0' },
        after: { code: 'CH', name: 'Switzerland', population: '0' },
        changed: ['name'],
      },
    ])
    expect(await recordedBy(() => upsert('Switzerland'))).toEqual([])
  })

  it('is recorded the same when Prisma reads first and then writes', async () => {
    const upsert = (id: number) =>
      prisma.tag.upsert({
        where: { id },
        create: { name: 'a' },
        update: { name: 'b' },
        include: { posts: true },
      })
    expect(await recordedBy(() => upsert(0))).toEqual([
      { action: 'tag.create', id: '1', operation: 'upsert', after: { id: 1, name: 'a' } },
    ])
    expect(await recordedBy(() => upsert(1))).toEqual([
      {
        action: 'tag.update',
        id: '1',
        operation: 'upsert',
        before: { id: 1, name: 'a' },
        after: { id: 1, name: 'b' },
        changed: ['name'],
      },
    ])
    expect(await recordedBy(() => upsert(1))).toEqual([])
  })

  it('works by a composite key, and by another unique key', async () => {
    const byId = (text: string) =>
      prisma.translation.upsert({
        where: { key_language: { key: 'k', language: 'en' } },
        create: { key: 'k', language: 'en', text },
        update: { text, revision: { increment: 1 } },
      })
    const byText = () =>
      prisma.translation.upsert({
        where: { language_text: { language: 'en', text: 'two' } },
        create: { key: 'other', language: 'en', text: 'two' },
        update: { revision: { increment: 10 } },
      })
    expect(brief(await recordedBy(() => byId('one')))).toEqual(['translation.create ["k","en"]'])
    expect(brief(await recordedBy(() => byId('two')))).toEqual([
      'translation.update ["k","en"] [text, revision]',
    ])
    expect(brief(await recordedBy(() => byText()))).toEqual(['translation.update ["k","en"] [revision]'])
  })

  it('that changes the key is recorded under the old key', async () => {
    await prisma.country.create({ data: { code: 'XX', name: 'Old' } })
    const entries = await recordedBy(() =>
      prisma.country.upsert({
        where: { code: 'XX' },
        create: { code: 'XX', name: 'New' },
        update: { code: 'YY' },
      }),
    )
    expect(brief(entries)).toEqual(['country.update XX [code]'])
    expect(entries[0]).toMatchObject({ before: { code: 'XX' }, after: { code: 'YY' } })
  })

  it('on a table with a BEFORE UPDATE trigger records what the trigger made', async () => {
    const upsert = (counter: number) =>
      prisma.stamped.upsert({ where: { id: 1 }, create: { id: 1, counter }, update: { counter } })
    expect(brief(await recordedBy(() => upsert(1)))).toEqual(['stamped.create 1'])
    expect(brief(await recordedBy(() => upsert(2)))).toEqual(['stamped.update 1 [counter, stampedAt]'])
  })

  it('of an unchanged row writes no entry, and an empty update none either', async () => {
    await prisma.country.create({ data: { code: 'CH', name: 'Swiss' } })
    expect(
      await recordedBy(() =>
        prisma.country.upsert({ where: { code: 'CH' }, create: { code: 'CH', name: 'x' }, update: {} }),
      ),
    ).toEqual([])
  })
})
