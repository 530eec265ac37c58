import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { steps } from '../support/entries.ts'
import { unique } from '../support/unique.ts'
import { clientWithOneConnection } from './clients.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('a batch', () => {
  it('records create and update of the same row, in that order', async () => {
    const entries = await db.changesOf(() =>
      prisma.$transaction([
        prisma.country.create({ data: { code: 'BB', name: 'first' } }),
        prisma.country.update({ where: { code: 'BB' }, data: { name: 'second' } }),
        prisma.country.update({ where: { code: 'BB' }, data: { population: 3n } }),
        prisma.country.findMany(),
        prisma.country.delete({ where: { code: 'BB' } }),
      ]),
    )
    expect(
      entries.map(({ action, details }) => [action, details.before ?? null, details.after ?? null]),
    ).toEqual([
      ['country.create', null, { code: 'BB', name: 'first', population: '0' }],
      [
        'country.update',
        { code: 'BB', name: 'first', population: '0' },
        { code: 'BB', name: 'second', population: '0' },
      ],
      [
        'country.update',
        { code: 'BB', name: 'second', population: '0' },
        { code: 'BB', name: 'second', population: '3' },
      ],
      ['country.delete', { code: 'BB', name: 'second', population: '3' }, null],
    ])
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  it('gives what it gives without the audit', async () => {
    const plain = createClient(db.url)
    const batch = (client: Pick<typeof plain, 'country' | '$transaction' | '$executeRaw'>, code: string) =>
      client.$transaction([
        client.country.create({ data: { code, name: 'one' }, select: { name: true } }),
        client.country.updateMany({ where: { code }, data: { population: 7n } }),
        client.$executeRaw`UPDATE "Country" SET name = 'two' WHERE code = ${code}`,
        client.country.findUnique({ where: { code }, omit: { code: true } }),
        client.country.deleteMany({ where: { code } }),
      ])
    expect(await batch(prisma, 'CA')).toEqual(await batch(plain, 'CB'))
  })

  it('that fails leaves no entry, and the connection fit for the next call', async () => {
    const client = clientWithOneConnection(db)
    const name = unique('tag')
    const entries = await db.changesOf(async () => {
      const conflicting = client.$transaction([
        client.tag.create({ data: { name } }),
        client.tag.create({ data: { name } }),
      ])
      await expect(conflicting).rejects.toMatchObject({ code: 'P2002' })
      const unknownTable = client.$transaction([
        client.tag.create({ data: { name } }),
        client.$executeRaw`INSERT INTO no_such_table VALUES (1)`,
      ])
      await expect(unknownTable).rejects.toMatchObject({ code: 'P2010' })
      const notFound = client.$transaction([
        client.tag.create({ data: { name } }),
        client.tag.delete({ where: { id: -1 } }),
      ])
      await expect(notFound).rejects.toMatchObject({ code: 'P2025' })
      expect(await client.tag.count({ where: { name } })).toBe(0)
    })
    expect(entries).toEqual([])
    expect(
      steps(await db.changesOf(() => client.country.create({ data: { code: 'CC', name: 'c' } }))),
    ).toEqual(['country.create CC'])
  })

  it('names the operation only where all of its calls are the same', async () => {
    const mixed = await db.changesOf(() =>
      prisma.$transaction([
        prisma.tag.create({ data: { name: unique('tag') } }),
        prisma.tag.deleteMany({ where: { name: { startsWith: 'no such' } } }),
      ]),
    )
    const same = await db.changesOf(() =>
      prisma.$transaction([
        prisma.tag.create({ data: { name: unique('tag') } }),
        prisma.tag.create({ data: { name: unique('tag') } }),
      ]),
    )
    expect(mixed.map((entry) => entry.details.operation)).toEqual([undefined])
    expect(same.map((entry) => entry.details.operation)).toEqual(['create', 'create'])
  })

  it.each([
    ['a template', () => prisma.$executeRaw`SELECT set_config('app.tenant', ${'one'}, true)`],
    ['a text', () => prisma.$executeRawUnsafe(`SELECT set_config('app.tenant', $1, true)`, 'one')],
    ['a query', () => prisma.$queryRaw`SELECT set_config('app.tenant', ${'one'}, true)`],
  ])('that begins with a setting by %s names the operation of the write', async (_, setting) => {
    const name = unique('tag')
    const entries = await db.changesOf(() =>
      prisma.$transaction([
        setting(),
        prisma.tag.findMany({ where: { name } }),
        prisma.tag.create({ data: { name, posts: { create: { title: 'nested' } } } }),
      ]),
    )
    expect(entries.map((entry) => [entry.action, entry.details.operation])).toEqual([
      ['tag.create', 'create'],
      ['post.create', 'create'],
      ['post.connect', 'create'],
      ['tag.connect', 'create'],
    ])
  })

  it('tells raw writes from others, even with the same effect', async () => {
    const [one, two, three] = [unique('tag'), unique('tag'), unique('tag')]
    const entries = await db.changesOf(() =>
      prisma.$transaction([
        prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${one})`,
        prisma.tag.create({ data: { name: two } }),
        prisma.$executeRawUnsafe(`INSERT INTO "Tag" (name) VALUES ($1)`, three),
      ]),
    )
    expect(entries.map(({ details }) => [details.after.name, details.operation])).toEqual([
      [one, undefined], // $executeRaw or $executeRawUnsafe: the text is the same
      [two, 'create'],
      [three, undefined],
    ])
  })

  it('keeps its isolation level', async () => {
    const [level, created] = await prisma.$transaction(
      [
        prisma.$queryRaw<{ level: string }[]>`SELECT current_setting('transaction_isolation') AS level`,
        prisma.tag.create({ data: { name: unique('tag') } }),
      ],
      { isolationLevel: 'Serializable' },
    )
    expect(level).toEqual([{ level: 'serializable' }])
    expect(created.id).toEqual(expect.any(Number))
  })
})
