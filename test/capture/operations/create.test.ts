import { beforeEach, describe, expect, it } from 'vitest'
import { brief } from '../../support/recorded.ts'
import { unique } from '../../support/unique.ts'
import { at } from '../../support/users.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { db, prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('create', () => {
  it('records the whole row under the field names of the schema, whatever was given', async () => {
    const entries = await recordedBy(() =>
      prisma.user.create({ data: { email: 'ada@x.org', level: 'HIGH', createdAt: at, updatedAt: at } }),
    )
    expect(entries).toEqual([
      {
        action: 'user.create',
        id: '1',
        operation: 'create',
        after: {
          id: 1,
          email: 'ada@x.org',
          name: null,
          level: 'high level', // the label stored in the database
          passwordHash: null,
          loginCount: 0,
          createdAt: '2026-01-02T03:04:05.006Z',
          updatedAt: '2026-01-02T03:04:05.006Z',
          managerId: null,
        },
      },
    ])
  })

  it('records what select and omit hide from the caller', async () => {
    const entries = await recordedBy(async () => {
      await prisma.tag.create({ data: { name: 'a' }, select: { id: true } })
      await prisma.tag.create({ data: { name: 'b' }, omit: { name: true } })
    })
    expect(entries).toEqual([
      { action: 'tag.create', id: '1', operation: 'create', after: { id: 1, name: 'a' } },
      { action: 'tag.create', id: '2', operation: 'create', after: { id: 2, name: 'b' } },
    ])
  })

  it('records a row of defaults only', async () => {
    const entries = await recordedBy(() => prisma.stamped.create({ data: {} }))
    expect(entries).toEqual([
      {
        action: 'stamped.create',
        id: '1',
        operation: 'create',
        after: { id: 1, counter: 0, stampedAt: null },
      },
    ])
  })

  it('records nothing when the insert fails', async () => {
    await prisma.tag.create({ data: { name: 'a' } })
    const entries = await recordedBy(() => prisma.tag.create({ data: { name: 'a' } }).catch(() => {}))
    expect(brief(entries).filter((line) => line.startsWith('tag.create 2'))).toEqual([])
  })
})

describe('createMany', () => {
  it('records each row with the id that the database gave it', async () => {
    const entries = await recordedBy(() =>
      prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }),
    )
    expect(entries).toEqual([
      { action: 'tag.create', id: '1', operation: 'createMany', after: { id: 1, name: 'a' } },
      { action: 'tag.create', id: '2', operation: 'createMany', after: { id: 2, name: 'b' } },
      { action: 'tag.create', id: '3', operation: 'createMany', after: { id: 3, name: 'c' } },
    ])
  })

  it('does not record the duplicates that it skips', async () => {
    await prisma.tag.create({ data: { name: 'b' } })
    const entries = await recordedBy(() =>
      prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }, { name: 'c' }], skipDuplicates: true }),
    )
    expect(entries.map(({ action, after }) => [action, after.name])).toEqual([
      ['tag.create', 'a'],
      ['tag.create', 'c'],
    ])
  })

  it('records rows that leave different columns to their defaults', async () => {
    const entries = await recordedBy(() =>
      prisma.translation.createMany({
        data: [
          { key: 'a', language: 'de', text: 'A' },
          { key: 'a', language: 'en', text: 'A', revision: 7 },
        ],
      }),
    )
    expect(entries.map(({ id, after }) => [id, after.revision])).toEqual([
      ['["a","de"]', 1],
      ['["a","en"]', 7],
    ])
  })

  it('records nothing for an empty list', async () => {
    expect(await recordedBy(() => prisma.tag.createMany({ data: [] }))).toEqual([])
  })

  it('records nothing when one of the rows fails', async () => {
    await prisma.tag.create({ data: { name: 'b' } })
    const entries = await recordedBy(() =>
      prisma.tag.createMany({ data: [{ name: 'a' }, { name: 'b' }] }).catch(() => {}),
    )
    expect(brief(entries).filter((line) => /^tag\.create \d/.test(line))).toEqual([])
  })
})

describe('createManyAndReturn', () => {
  it('records each row, and gives them back as always', async () => {
    const entries = await recordedBy(async () => {
      const tags = await prisma.tag.createManyAndReturn({
        data: [{ name: 'a' }, { name: 'b' }],
        select: { name: true },
      })
      expect(tags).toEqual([{ name: 'a' }, { name: 'b' }])
    })
    expect(entries).toEqual([
      { action: 'tag.create', id: '1', operation: 'createManyAndReturn', after: { id: 1, name: 'a' } },
      { action: 'tag.create', id: '2', operation: 'createManyAndReturn', after: { id: 2, name: 'b' } },
    ])
  })
})

describe('rows that the database completes', () => {
  it('createMany records generated ids and defaults, not its input', async () => {
    const names = [unique('many'), unique('many')] as const
    const entries = await db.changesOf(() => prisma.tag.createMany({ data: names.map((name) => ({ name })) }))
    const rows = await db.sql('SELECT id, name FROM "Tag" WHERE name = ANY ($1) ORDER BY id', [names])
    expect(entries.map((entry) => [entry.action, entry.resource_id, entry.details])).toEqual(
      rows.map((row) => ['tag.create', String(row.id), { operation: 'createMany', after: row }]),
    )
  })

  it('createMany with skipDuplicates records the rows that it inserted, and counts them', async () => {
    const [known, fresh] = [unique('many'), unique('many')]
    await prisma.tag.create({ data: { name: known } })
    const entries = await db.changesOf(async () => {
      const result = await prisma.tag.createMany({
        data: [{ name: known }, { name: fresh }, { name: fresh }],
        skipDuplicates: true,
      })
      expect(result).toEqual({ count: 1 })
    })
    expect(entries.map((entry) => [entry.action, entry.details.after.name])).toEqual([['tag.create', fresh]])
  })

  it('createManyAndReturn and updateManyAndReturn give and record every row', async () => {
    let created: { id: number; name: string }[] = []
    const creates = await db.changesOf(async () => {
      created = await prisma.tag.createManyAndReturn({
        data: [{ name: unique('many') }, { name: unique('many') }],
      })
    })
    expect(creates.map((entry) => entry.details.after)).toEqual(created)
    await prisma.stamped.createMany({ data: [{ counter: 6 }, { counter: 7 }] })
    let updated: { id: number; counter: number }[] = []
    const updates = await db.changesOf(async () => {
      updated = await prisma.stamped.updateManyAndReturn({
        where: { counter: { in: [6, 7] } },
        data: { counter: { increment: 10 } },
      })
    })
    expect(updated.map(({ counter }) => counter)).toEqual([16, 17])
    expect(
      updates.map(({ action, details }) => [action, details.before.counter, details.after.counter]),
    ).toEqual([
      ['stamped.update', 6, 16],
      ['stamped.update', 7, 17],
    ])
    expect(updates.map(({ details }) => details.after.id)).toEqual(updated.map(({ id }) => id))
  })

  it('shows every field, whatever select and omit leave out', async () => {
    const entries = await db.changesOf(async () => {
      await prisma.country.create({ data: { code: 'DD', name: 'd' }, select: { code: true } })
      await prisma.country.update({
        where: { code: 'DD' },
        data: { name: 'e' },
        omit: { code: true, name: true },
      })
      await prisma.country.delete({ where: { code: 'DD' }, select: { population: true } })
    })
    expect(entries.map(({ details }) => details.before ?? details.after)).toEqual([
      { code: 'DD', name: 'd', population: '0' },
      { code: 'DD', name: 'd', population: '0' },
      { code: 'DD', name: 'e', population: '0' },
    ])
  })
})
