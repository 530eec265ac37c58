import { beforeAll, describe, expect, it } from 'vitest'
import { type AuditPage, withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { insertEntries } from '../support/insert-entries.ts'
import { allPages } from './all-pages.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url), { reads: ['User', 'Shelf', 'Reading'] })
const { $audit: audit } = prisma

function as<T>(id: string, work: () => PromiseLike<T>): PromiseLike<T> {
  return withAuditContext({ actor: { id, type: 'user' } }, work)
}

const said = ({ entries }: AuditPage) =>
  entries.map(({ actor, action, resource }) => [actor.id, action, resource.id])

beforeAll(async () => {
  await as('ada', () =>
    prisma.user.createMany({
      data: [1, 2, 3, 12].map((id) => ({ id, email: `${id}@example.com`, name: 'n' })),
    }),
  )
  await as('ada', () =>
    prisma.warehouse.create({
      data: { code: 'W', city: 'Oslo', shelves: { create: [{ number: 1 }, { number: 2 }] } },
    }),
  )
  await as('ada', () => prisma.reading.create({ data: { sensor: 'a', value: 1 } }))
  await as('one', () => prisma.user.findUnique({ where: { id: 1 } }))
  await as('all', () => prisma.user.findMany())
  await as('two', () => prisma.user.findMany({ where: { id: { in: [1, 2] } }, select: { name: true } }))
  await as('other', () => prisma.user.findMany({ where: { id: { in: [3, 12] } } }))
  await as('none', () => prisma.user.findMany({ where: { id: 404 } }))
  await as('keyless', () => prisma.reading.findMany())
  await as('shelves', () => prisma.shelf.findMany())
  await as('desk', () => audit.logDataAccess('desk', 'User', 1))
  await as('ada', () => prisma.user.update({ where: { id: 1 }, data: { name: 'm' } }))
})

describe('who read a record', () => {
  it('accesses() gives the reads of it alone and the reads that gave others too, and nothing else', async () => {
    expect(said(await audit.accesses('User', 1))).toEqual([
      ['desk', 'user.read', '1'],
      ['two', 'user.read', null],
      ['all', 'user.read', null],
      ['one', 'user.read', '1'],
    ])
    expect(said(await audit.accesses('User', { id: 2 }))).toEqual([
      ['two', 'user.read', null],
      ['all', 'user.read', null],
    ])
    expect(said(await audit.accesses('User', 404))).toEqual([])
  })

  it('history() has them between the changes of the record', async () => {
    expect(said(await audit.history('User', 1))).toEqual([
      ['ada', 'user.update', '1'],
      ['desk', 'user.read', '1'],
      ['two', 'user.read', null],
      ['all', 'user.read', null],
      ['one', 'user.read', '1'],
      ['ada', 'user.create', '1'],
    ])
  })

  it('a record of another model with the same id is another record', async () => {
    await insertEntries(db, [
      { resource_type: 'tag', action: 'tag.read', actor_id: 'tags', details: { ids: ['1', '2'], count: 2 } },
    ])
    expect(said(await audit.accesses('Tag', 1))).toEqual([['tags', 'tag.read', null]])
    expect(said(await audit.accesses('User', 2))).toHaveLength(2)
  })

  it('a composite key is found by its fields and by its text', async () => {
    for (const id of [{ warehouseCode: 'W', number: 2 }, '["W","2"]' as never]) {
      expect(said(await audit.accesses('Shelf', id))).toEqual([['shelves', 'shelf.read', null]])
    }
  })

  it('a filter of search() on a record finds them together with all other conditions', async () => {
    const filter = { resource: { type: 'User', id: 2 } } as const
    expect(said(await audit.search({ ...filter, actor: 'two' }))).toEqual([['two', 'user.read', null]])
    expect(said(await audit.search({ ...filter, action: '*.read', actor: 'one' }))).toEqual([])
    expect(said(await audit.search({ ...filter, action: 'user.create' }))).toEqual([
      ['ada', 'user.create', '2'],
    ])
    const streamed = []
    for await (const { actor } of audit.stream({ ...filter, action: 'user.*' })) streamed.push(actor.id)
    expect(streamed).toEqual(['two', 'all', 'ada'])
  })

  it('an event that is a read may name several records in the same way', async () => {
    await audit.record({ action: 'chart.read', resource: { type: 'User' }, details: { ids: ['3', '12'] } })
    expect((await audit.accesses('User', 12)).entries.map(({ action }) => action)).toEqual([
      'chart.read',
      'user.read',
      'user.read',
    ])
  })

  it('pages go through both kinds in the order of time', async () => {
    const whole = (await audit.history('User', 1)).entries.map(({ id }) => id)
    for (const limit of [1, 2, 5]) {
      const paged = await allPages((page) => audit.history('User', 1, page), limit)
      expect(paged.map(({ id }) => id)).toEqual(whole)
    }
    const first = await audit.history('User', 1, { limit: 1 })
    await expect(audit.accesses('User', 1, { cursor: first.nextCursor ?? '' })).rejects.toMatchObject({
      code: 'AUDIT_INVALID_CURSOR',
    })
  })
})
