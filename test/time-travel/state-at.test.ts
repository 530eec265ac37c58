import { describe, expect, it } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()
const plain = createClient(db.url)
const clientWith = (options: AuditOptions<PrismaClient> = {}) => withAudit(createClient(db.url), options)
const full = clientWith()
const changed = clientWith({ snapshot: 'changed' })

describe.each([
  ['whole records', full],
  ['only what changed', changed],
])('stateAt, where entries hold %s', (snapshot, prisma) => {
  const stateAt = prisma.$audit.stateAt

  it('gives the record at each moment of its life, and null before and after', async () => {
    const before = await db.now()
    const created = await prisma.tag.create({ data: { name: 'first' } })
    const first = await db.now()
    await prisma.tag.update({ where: { id: created.id }, data: { name: 'second' } })
    const second = await db.now()
    await prisma.tag.delete({ where: { id: created.id } })
    const gone = await db.now()
    await prisma.tag.create({ data: { id: created.id, name: 'again' } })
    const again = await db.now()
    const states = [before, first, second, gone, again].map((at) => stateAt('Tag', created.id, at))
    expect(await Promise.all(states)).toEqual([
      null,
      { id: created.id, name: 'first' },
      { id: created.id, name: 'second' },
      null,
      { id: created.id, name: 'again' },
    ])
  })

  it('gives what an entry left at the timestamp of the entry', async () => {
    const { id } = await prisma.tag.create({ data: { name: 'one' } })
    const since = await db.lastSeq()
    await prisma.tag.update({ where: { id }, data: { name: 'two' } })
    const [entry] = await db.entries(since)
    if (!entry) throw new Error('no entry')
    expect(await stateAt('Tag', id, entry.timestamp)).toEqual({ id, name: 'two' })
    await prisma.tag.delete({ where: { id } })
  })

  it('tells changes of one transaction apart', async () => {
    const times: string[] = []
    const id = 900
    await prisma.$transaction(async (tx) => {
      await tx.country.create({ data: { code: 'AA', name: 'one' } })
      times.push(await db.now())
      await tx.country.update({ where: { code: 'AA' }, data: { name: 'two', population: 2n ** 60n } })
      times.push(await db.now())
      await tx.country.delete({ where: { code: 'AA' } })
      times.push(await db.now())
    })
    expect(await Promise.all(times.map((at) => stateAt('Country', 'AA', at)))).toEqual([
      { code: 'AA', name: 'one', population: 0n },
      { code: 'AA', name: 'two', population: 2n ** 60n },
      null,
    ])
    expect(await stateAt('Tag', id, await db.now())).toBeNull()
  })

  it('follows a record that gets another key, also by a referential action', async () => {
    // entries of the other run would say that these shelves had left
    const [from, to] = [`old ${snapshot}`, `new ${snapshot}`]
    await plain.warehouse.create({ data: { code: from, city: 'c', shelves: { create: { number: 1 } } } })
    const early = await db.now()
    await prisma.shelf.updateMany({ where: { warehouseCode: from }, data: { label: 'x' } })
    const labelled = await db.now()
    await prisma.warehouse.update({ where: { code: from }, data: { code: to } })
    const moved = await db.now()
    await prisma.shelf.updateMany({ where: { warehouseCode: to }, data: { number: 2, label: 'y' } })
    const renumbered = await db.now()
    await prisma.shelf.deleteMany({ where: { warehouseCode: to } })
    const removed = await db.now()
    await prisma.warehouse.delete({ where: { code: to } })
    const times = [early, labelled, moved, renumbered, removed]
    const at = (warehouseCode: string, number: number) =>
      Promise.all(times.map((time) => stateAt('Shelf', { warehouseCode, number }, time)))
    const row = (warehouseCode: string, number: number, label: string | null) => ({
      warehouseCode,
      number,
      label,
    })
    expect(await at(from, 1)).toEqual([row(from, 1, null), row(from, 1, 'x'), null, null, null])
    expect(await at(to, 1)).toEqual([null, null, row(to, 1, 'x'), null, null])
    expect(await at(to, 2)).toEqual([null, null, null, row(to, 2, 'y'), null])
    expect(await Promise.all(times.map((time) => stateAt('Warehouse', to, time)))).toEqual([
      ...[null, null],
      ...[moved, renumbered, removed].map(() => ({ code: to, city: 'c' })),
    ])
  })

  it('gives a record that is older than the log as its first entry found it, or as it is', async () => {
    const { id } = await plain.tag.create({ data: { name: 'old' } })
    const long = '2020-01-01'
    expect(await stateAt('Tag', id, long)).toEqual({ id, name: 'old' })
    await prisma.tag.update({ where: { id }, data: { name: 'newer' } })
    expect(await stateAt('Tag', id, long)).toEqual({ id, name: 'old' })
    const later = await db.now()
    await prisma.tag.delete({ where: { id } })
    expect(await stateAt('Tag', id, long)).toEqual({ id, name: 'old' })
    expect(await stateAt('Tag', id, later)).toEqual({ id, name: 'newer' })
    expect(await stateAt('Tag', id + 1_000, long)).toBeNull()
  })

  it('counts no other entries of the record: links, events, failures', async () => {
    const post = await prisma.post.create({
      data: { id: 'p', title: 't', tags: { create: { name: 'linked' } } },
    })
    const wanted = await plain.post.findUnique({ where: { id: 'p' } })
    await db.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, resource_id, outcome, details) VALUES
      (gen_random_uuid(), 'post.read', 'x', 'user', 'post', 'p', 'success', '{"before": {"title": "no"}}'),
      (gen_random_uuid(), 'post.update', 'x', 'user', 'post', 'p', 'failure', '{"after": {"title": "no"}}')`)
    expect(await stateAt('Post', post.id, new Date())).toEqual(wanted)
    await prisma.post.deleteMany()
    await prisma.tag.deleteMany()
  })

  it('answers inside a transaction, also with one connection', async () => {
    const single = withAudit(createClient(db.url, { max: 1 }), { snapshot: 'changed' })
    await single.$transaction(async (tx) => {
      const { id } = await tx.tag.create({ data: { name: 'inside' } })
      expect(await tx.$audit.stateAt('Tag', id, new Date())).toEqual({ id, name: 'inside' })
      await tx.tag.delete({ where: { id } })
      expect(await tx.$audit.stateAt('Tag', id, new Date())).toBeNull()
    })
  })
})

describe('stateAt', () => {
  const { stateAt } = full.$audit

  it('works on a log whose snapshot option was switched', async () => {
    const times: string[] = []
    const { id } = await plain.user.create({ data: { email: 'a', name: '0' } })
    const wanted: unknown[] = []
    const steps = [
      () => changed.user.update({ where: { id }, data: { name: '1' } }),
      () => full.user.update({ where: { id }, data: { loginCount: 1 } }),
      () => changed.user.update({ where: { id }, data: { email: 'b' } }),
      () => changed.user.update({ where: { id }, data: { level: 'HIGH' } }),
      () => full.user.update({ where: { id }, data: { name: null } }),
      () => changed.user.update({ where: { id }, data: { email: 'c' } }),
    ]
    for (const step of [async () => {}, ...steps]) {
      await step()
      times.push(await db.now())
      wanted.push(await plain.user.findUnique({ where: { id } }))
    }
    expect(await Promise.all(times.map((at) => stateAt('User', id, at)))).toEqual(wanted)
    await plain.user.delete({ where: { id } })
  })

  it('keeps redacted values redacted, and gives null for a field that the database got later', async () => {
    const { id } = await full.user.create({ data: { email: 'x', passwordHash: 'secret' } })
    expect((await stateAt('User', id, new Date()))?.passwordHash).toBe('[redacted]')
    const own = await createDatabase()
    await own.sql('ALTER TABLE "Warehouse" DROP COLUMN city')
    const prisma = withAudit(createClient(own.url))
    await prisma.$executeRaw`INSERT INTO "Warehouse" (code) VALUES ('A')`
    const before = new Date()
    await own.sql(`ALTER TABLE "Warehouse" ADD COLUMN city text NOT NULL DEFAULT 'somewhere'`)
    await prisma.warehouse.update({ where: { code: 'A' }, data: { city: 'here' } })
    expect(await prisma.$audit.stateAt('Warehouse', 'A', before)).toEqual({ code: 'A', city: null })
    expect(await prisma.$audit.stateAt('Warehouse', 'A', new Date())).toEqual({ code: 'A', city: 'here' })
  })

  it('takes an entry that was recorded by hand for the change that it says', async () => {
    const { id } = await full.tag.create({ data: { name: 'real' } })
    await db.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, resource_id, details)
       VALUES (gen_random_uuid(), 'tag.update', 'x', 'user', 'tag', $1, '{"after": {"name": "by hand"}}')`,
      [String(id)],
    )
    expect(await stateAt('Tag', id, new Date(Date.now() + 1_000))).toEqual({ id, name: 'by hand' })
  })

  it('takes every form of id and date', async () => {
    await full.translation.create({ data: { key: 'k', language: 'en', text: 'hello' } })
    const row = { key: 'k', language: 'en', text: 'hello', revision: 1 }
    const soon = new Date(Date.now() + 1_000)
    const ids = [{ key: 'k', language: 'en' }, { key_language: { key: 'k', language: 'en' } }, '["k","en"]']
    for (const id of ids) expect(await stateAt('Translation', id, soon)).toEqual(row)
    const { id } = await full.everything.create({ data: {} })
    for (const form of [id, Number(id), String(id), { id }]) {
      expect((await stateAt('Everything', form, soon))?.id).toBe(id)
    }
    const dates = [soon.toISOString(), soon.toISOString().replace('Z', '123+00:00'), '9999-01-01']
    for (const date of dates) expect((await stateAt('Everything', id, date))?.id).toBe(id)
  })

  it('refuses what it cannot answer', async () => {
    const excluding = clientWith({ models: { exclude: ['Tag'] }, redact: { Country: ['code'] } })
    const any = stateAt as (...parameters: unknown[]) => Promise<unknown>
    const excludingAny = excluding.$audit.stateAt as typeof any
    const refused: [() => Promise<unknown>, RegExp][] = [
      [() => any('Nothing', 1, new Date()), /no model "Nothing"/],
      [() => any('Reading', 's', new Date()), /no primary key/],
      [() => any('Shelf', 1, new Date()), /warehouseCode and number/],
      [() => any('Shelf', { number: 1 }, new Date()), /warehouseCode and number/],
      [() => any('Tag', null, new Date()), /give id/],
      [() => any('Tag', { id: { in: [1] } }, new Date()), /give id/],
      [() => any('Country', 'A\0', new Date()), /character with code zero/],
      [() => any('Tag', 1, new Date(Number.NaN)), /not a valid Date/],
      [() => any('Tag', 1, '2026-01-01T00:00:00'), /with Z or an offset/],
      [() => any('Tag', 1, 'yesterday'), /with Z or an offset/],
      [() => any('Tag', 1, undefined), /not a valid Date/],
      [() => excludingAny('Tag', 1, new Date()), /not in the log, because of the option models/],
      [() => excludingAny('Country', 'A', new Date()), /redacted/],
    ]
    for (const [ask, message] of refused) {
      await expect(ask()).rejects.toMatchObject({
        code: 'AUDIT_INVALID_FILTER',
        message: expect.stringMatching(message),
      })
    }
  })

  it('finds no record by an id that is not of the type', async () => {
    const any = stateAt as (...parameters: unknown[]) => Promise<unknown>
    for (const id of ['x', "1' OR 1=1", 1.5, 2n ** 70n]) expect(await any('Tag', id, new Date())).toBeNull()
  })

  it('records no reads', async () => {
    const reading = clientWith({ reads: ['Tag'] })
    const { id } = await plain.tag.create({ data: { name: 'unread' } })
    const since = await db.lastSeq()
    await reading.$audit.stateAt('Tag', id, new Date())
    expect(await db.entries(since)).toEqual([])
  })
})
