import { beforeEach, describe, expect, it } from 'vitest'
import { brief } from '../../support/recorded.ts'
import { unique } from '../../support/unique.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { db, prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('keys', () => {
  it('composite ones are a JSON array of texts', async () => {
    const entries = await recordedBy(async () => {
      await prisma.translation.create({ data: { key: '42', language: 'en', text: 't' } })
      await prisma.translation.update({
        where: { key_language: { key: '42', language: 'en' } },
        data: { text: 'u' },
      })
      await prisma.translation.delete({ where: { key_language: { key: '42', language: 'en' } } })
    })
    expect(brief(entries)).toEqual([
      'translation.create ["42","en"]',
      'translation.update ["42","en"] [text]',
      'translation.delete ["42","en"]',
    ])
  })

  it('numbers in composite keys are texts too, and the order is the key’s', async () => {
    const entries = await recordedBy(() =>
      prisma.warehouse.create({ data: { code: 'ZH', city: 'Zürich', shelves: { create: { number: 7 } } } }),
    )
    expect(brief(entries)).toEqual(['warehouse.create ZH', 'shelf.create ["ZH","7"]'])
  })

  it('with quotes, commas and line breaks are still one JSON array', async () => {
    const key = 'a","b\\\n\té\u0001🙂'
    const [entry] = await recordedBy(() =>
      prisma.translation.create({ data: { key, language: '', text: 't' } }),
    )
    expect(JSON.parse(entry?.id ?? '')).toEqual([key, ''])
  })

  it('an update that changes the key is recorded under the old key', async () => {
    await prisma.translation.create({ data: { key: 'k', language: 'en', text: 't' } })
    const entries = await recordedBy(() =>
      prisma.translation.update({
        where: { key_language: { key: 'k', language: 'en' } },
        data: { language: 'de' },
      }),
    )
    expect(entries).toEqual([
      {
        action: 'translation.update',
        id: '["k","en"]',
        operation: 'update',
        before: { key: 'k', language: 'en', text: 't', revision: 1 },
        after: { key: 'k', language: 'de', text: 't', revision: 1 },
        changed: ['language'],
      },
    ])
  })

  it('bigint ones keep every digit', async () => {
    const [entry] = await recordedBy(() => prisma.everything.create({ data: { id: 9_007_199_254_740_993n } }))
    expect(entry?.id).toBe('9007199254740993')
  })

  it('a table without a primary key has entries without an id', async () => {
    const entries = await recordedBy(async () => {
      await prisma.reading.create({ data: { sensor: 's1', value: 1 } })
      await prisma.reading.createMany({ data: [{ sensor: 's2', value: 2 }] })
      await prisma.reading.update({ where: { sensor: 's1' }, data: { value: 1.5 } })
      await prisma.reading.updateMany({ where: { value: { gt: 1 } }, data: { value: { increment: 1 } } })
      await prisma.reading.upsert({
        where: { sensor: 's2' },
        create: { sensor: 's2', value: 0 },
        update: { value: 0 },
      })
      await prisma.reading.delete({ where: { sensor: 's1' } })
    })
    const lines = entries.map(({ id, action, before, after }) => [id, action, before?.value, after?.value])
    const [many, others] = [lines.slice(3, 5), [...lines.slice(0, 3), ...lines.slice(5)]]
    expect(others).toEqual([
      [null, 'reading.create', undefined, 1],
      [null, 'reading.create', undefined, 2],
      [null, 'reading.update', 1, 1.5],
      [null, 'reading.update', 3, 0],
      [null, 'reading.delete', 2.5, undefined],
    ])
    expect(many.sort()).toEqual([
      [null, 'reading.update', 1.5, 2.5],
      [null, 'reading.update', 2, 3],
    ])
  })
})

describe('keys that are not called id', () => {
  it('are the resource id: a char key, a composite key, none', async () => {
    const key = unique('key "quoted"')
    const entries = await db.changesOf(async () => {
      await prisma.country.create({ data: { code: 'EE', name: 'e' } })
      await prisma.translation.create({ data: { key, language: 'de', text: key } })
      await prisma.reading.create({ data: { sensor: unique('sensor'), value: 1.5 } })
    })
    expect(entries.map((entry) => [entry.action, entry.resource_id])).toEqual([
      ['country.create', 'EE'],
      ['translation.create', JSON.stringify([key, 'de'])],
      ['reading.create', null],
    ])
  })

  it('that change are recorded under the old key', async () => {
    await prisma.country.create({ data: { code: 'FF', name: 'f' } })
    const [entry] = await db.changesOf(() =>
      prisma.country.update({ where: { code: 'FF' }, data: { code: 'GG' } }),
    )
    expect([entry?.resource_id, entry?.details.changed, entry?.details.after.code]).toEqual([
      'FF',
      ['code'],
      'GG',
    ])
  })
})
