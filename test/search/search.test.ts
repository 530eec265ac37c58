import { describe, expect, it } from 'vitest'
import { type AuditEntry, type SearchFilter, withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { refusal } from '../support/errors.ts'
import { insertEntries } from '../support/insert-entries.ts'
import { unique } from '../support/unique.ts'
import { allPages } from './all-pages.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))
const audit = prisma.$audit

/** The ids of what a search finds, for short. */
const ids = (entries: readonly AuditEntry[]) => entries.map(({ resource }) => resource.id)
const search = async (filter: SearchFilter) => ids((await audit.search(filter)).entries)

describe('history', () => {
  it('is what happened to one record, newest first, in full', async () => {
    const ada = { actor: { id: 'ada', type: 'user', email: 'ada@example.com' }, requestId: 'r1' } as const
    const tag = await withAuditContext(ada, async () => {
      const created = await prisma.tag.create({ data: { name: 'old' } })
      return prisma.tag.update({ where: { id: created.id }, data: { name: 'new' } })
    })
    await prisma.tag.create({ data: { name: 'another' } })
    const [update, create, ...rest] = (await audit.history('Tag', tag.id)).entries
    expect(rest).toEqual([])
    expect(update).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timestamp: expect.any(Date),
      action: 'tag.update',
      actor: { id: 'ada', type: 'user', email: 'ada@example.com' },
      resource: { type: 'tag', id: String(tag.id) },
      outcome: 'success',
      reason: null,
      details: {
        before: { id: tag.id, name: 'old' },
        after: { id: tag.id, name: 'new' },
        changed: ['name'],
        operation: 'update',
      },
      requestId: 'r1',
      ip: null,
      userAgent: null,
      organizationId: null,
      seq: expect.any(BigInt),
      transactionId: expect.any(BigInt),
      before: { id: tag.id, name: 'old' },
      after: { id: tag.id, name: 'new' },
      changes: [{ field: 'name', from: 'old', to: 'new' }],
    })
    expect(create).toMatchObject({ action: 'tag.create', before: null, after: { name: 'old' }, changes: [] })
  })

  it('takes every kind of id, as a value, as findUnique takes it, and as a record', async () => {
    const user = await prisma.user.create({ data: { email: 'history@example.com' } })
    const profile = await prisma.profile.create({ data: { bio: 'x', userId: user.id } })
    const post = await prisma.post.create({ data: { title: 'x' } })
    const country = await prisma.country.create({ data: { code: 'T', name: 'shorter than its column' } })
    await prisma.warehouse.create({ data: { code: 'ä"\\\n1', city: 'x' } })
    const shelf = await prisma.shelf.create({ data: { warehouseCode: 'ä"\\\n1', number: 7 } })
    const translation = await prisma.translation.create({ data: { key: 'k', language: 'en', text: 't' } })
    const everything = await prisma.everything.create({ data: { id: 9007199254740993n } })
    const shelfKey = { warehouseCode: shelf.warehouseCode, number: shelf.number }
    const found = await Promise.all([
      audit.history('User', user.id),
      audit.history('User', { id: user.id }),
      audit.history('User', user),
      audit.history('Profile', profile.id),
      audit.history('Profile', profile.id.toUpperCase()),
      audit.history('Post', post.id),
      audit.history('Country', country.code),
      audit.history('Country', { code: 'T' }),
      audit.history('Shelf', shelfKey),
      audit.history('Shelf', { warehouseCode_number: shelfKey }),
      audit.history('Shelf', shelf),
      audit.history('Translation', { language: 'en', key: 'k' }),
      audit.history('Translation', { key_language: { key: translation.key, language: 'en' } }),
      audit.history('Everything', everything.id),
      audit.history('Everything', { id: 9007199254740993n }),
    ])
    expect(found.map(({ entries }) => entries.map(({ action }) => action))).toEqual([
      ...Array(3).fill(['user.create']),
      // a uuid made by Prisma is text, whose case counts
      ...[['profile.create'], []],
      ['post.create'],
      ...Array(2).fill(['country.create']),
      ...Array(3).fill(['shelf.create']),
      ...Array(2).fill(['translation.create']),
      ...Array(2).fill(['everything.create']),
    ])
  })

  it('refuses what names no model or no record, and says what would', async () => {
    const wrong = audit as unknown as { history(model: unknown, id: unknown): Promise<unknown> }
    const messages = await Promise.all(
      [
        ['Usr', 1],
        [1n, 1],
        [undefined, 1],
        ['User', undefined],
        ['User', null],
        ['User', ''],
        ['User', Number.NaN],
        ['User', new Date(Number.NaN)],
        ['User', { email: 'x' }],
        ['User', { id: { in: [1] } }],
        ['Post', 'a\0b'],
        ['Shelf', 7],
        ['Shelf', { number: 7 }],
        ['Translation', { language_text: { language: 'en', text: 't' } }],
        ['Reading', 'sensor'],
      ].map(async ([model, id]) => {
        const error = await refusal(() => wrong.history(model, id))
        expect(error.code).toBe('AUDIT_INVALID_FILTER')
        return error.message
      }),
    )
    expect(messages[0]).toContain('no model "Usr"')
    expect(messages[8]).toBe(
      'The id does not identify a record of User: give its id (Int), or { id: Int } with the whole primary key.',
    )
    expect(messages[12]).toBe(
      'The id does not identify a record of Shelf: give { warehouseCode: String, number: Int } with the whole primary key.',
    )
    expect(messages[14]).toContain('The model Reading has no primary key')
  })
})

describe('activity', () => {
  it('is what one actor did, whatever it was', async () => {
    const actor_id = unique('actor')
    await insertEntries(db, [
      { actor_id, action: 'user.login', resource_id: '1' },
      { actor_id, action: 'order.update', resource_id: '2', outcome: 'failure' },
      { actor_id: `${actor_id}0`, resource_id: '3' },
    ])
    expect(ids((await audit.activity(actor_id)).entries)).toEqual(['2', '1'])
  })
})

describe('search', () => {
  const actor_id = unique('searcher')
  const action = unique('act')

  it('finds by everything that an entry has, alone and combined', async () => {
    await insertEntries(db, [
      {
        resource_id: 'a',
        action: `${action}.login`,
        actor_id,
        actor_email: 'x@y.z',
        timestamp: '2020-01-01T00:00:00Z',
      },
      {
        ...{
          resource_id: 'b',
          action: `${action}.export`,
          actor_id,
          actor_type: 'api_key',
          outcome: 'failure',
        },
        timestamp: '2020-01-01T00:00:00.000001Z',
      },
      {
        ...{ resource_id: 'c', action: `${action}.update`, request_id: action, transaction_id: '4242424242' },
        ...{
          details: { before: { s: 1 }, after: { s: 2 }, changed: ['s', 't'] },
          timestamp: '2020-01-02T00:00:00Z',
        },
      },
      {
        ...{ resource_id: 'd', action: `${action}.delete`, organization_id: action, resource_type: action },
        timestamp: '2020-01-03T00:00:00Z',
      },
    ])
    const mine = `${action}.*`
    const cases: [SearchFilter, string[]][] = [
      [{ action: `${action}.login` }, ['a']],
      [{ action: [`${action}.login`, `${action}.export`] }, ['b', 'a']],
      [{ action: mine }, ['d', 'c', 'b', 'a']],
      [{ action: [`${action}.*port`, `${action}.l*n`, mine] }, ['d', 'c', 'b', 'a']],
      [{ action: `*${action}.del*` }, ['d']],
      [{ actor: actor_id }, ['b', 'a']],
      [{ actor: { id: actor_id, type: 'api_key' } }, ['b']],
      [{ actor: { email: 'x@y.z' } }, ['a']],
      [{ action: mine, actor: { type: 'user' } }, ['d', 'c', 'a']],
      [{ actor: actor_id, action: '*.export' }, ['b']],
      [{ action: mine, outcome: 'failure' }, ['b']],
      [{ action: mine, changed: 's' }, ['c']],
      [{ action: mine, changed: ['u', 't'] }, ['c']],
      [{ action: mine, changed: 'before' }, []],
      [{ requestId: action }, ['c']],
      [{ organizationId: action }, ['d']],
      [{ transactionId: 4242424242n }, ['c']],
      [{ transactionId: 4242424242 }, ['c']],
      [{ transactionId: '4242424242' }, ['c']],
      [{ resource: action }, ['d']],
      [{ resource: { type: action, id: 'd' } }, ['d']],
      [{ resource: { type: action, id: 'c' } }, []],
      [{ resource: 'order', action: mine }, ['c', 'b', 'a']],
      [{ action: mine, from: '2020-01-01', to: '2020-01-02' }, ['b', 'a']],
      [{ action: mine, from: '2020-01-01T00:00:00.000001Z', to: '2020-01-02T00:00:00.000001Z' }, ['c', 'b']],
      [{ action: mine, from: new Date('2020-01-02T00:00:00Z') }, ['d', 'c']],
      [{ action: mine, from: '2020-01-02T01:00:00+01:00', to: new Date('2020-01-03') }, ['c']],
      [{ action: mine, from: '2020-01-02', to: '2020-01-02' }, []],
      [{ from: '2020-01-01', to: '2020-01-04' }, ['d', 'c', 'b', 'a']],
      [{ action: mine, actor: undefined, changed: undefined }, ['d', 'c', 'b', 'a']],
    ]
    for (const [filter, expected] of cases) expect([filter, await search(filter)]).toEqual([filter, expected])
  })

  it('takes a model by its name or as a resource, and ids as history does', async () => {
    await prisma.warehouse.create({ data: { code: 'search', city: 'x' } })
    await prisma.shelf.create({ data: { warehouseCode: 'search', number: 1 } })
    const id = { warehouseCode: 'search', number: 1 }
    for (const type of ['Shelf', 'shelf']) {
      expect(await search({ resource: { type, id } })).toEqual(['["search","1"]'])
      expect(await search({ resource: { type, id: '["search","1"]' } })).toEqual(['["search","1"]'])
      expect(await search({ resource: type, from: '2021-01-01' })).toContain('["search","1"]')
    }
  })

  it('by a resource alone looks at the actions of its name; action says to look at others', async () => {
    const resource = unique('session')
    await insertEntries(db, [
      { resource_type: resource, action: 'user.login', resource_id: 'of another name' },
      { resource_type: resource, action: `${resource}.create`, resource_id: 'of its name' },
    ])
    expect(await search({ resource })).toEqual(['of its name'])
    expect(await search({ resource, action: '*' })).toEqual(['of its name', 'of another name'])
  })

  it('takes % and _ and backslashes in actions as they are', async () => {
    const prefix = unique('lit')
    await insertEntries(db, [
      { action: `${prefix}.a%b`, resource_id: '%' },
      { action: `${prefix}.a_b`, resource_id: '_' },
      { action: `${prefix}.a\\b`, resource_id: '\\' },
      { action: `${prefix}.axb`, resource_id: 'x' },
    ])
    expect(await search({ action: `${prefix}.a%b*` })).toEqual(['%'])
    expect(await search({ action: `${prefix}.*_b` })).toEqual(['_'])
    expect(await search({ action: `${prefix}.*\\b` })).toEqual(['\\'])
    expect(await search({ action: `${prefix}.a*b` })).toEqual(['x', '\\', '_', '%'])
  })

  it('matches whatever looks like SQL literally', async () => {
    const texts = [
      `'; DROP TABLE audit_logs; --`,
      `$1`,
      `"x"`,
      `\\'`,
      `{a,b}`,
      `{"a"}`,
      `NULL`,
      `', 'x`,
      `%`,
      `?`,
      `日本語 🙂`,
    ]
    await insertEntries(
      db,
      texts.map((text) => ({
        ...{
          action: `sql.${text}`,
          actor_id: text,
          actor_email: text,
          resource_type: text,
          resource_id: text,
        },
        ...{ request_id: text, organization_id: text, details: { changed: [text] } },
      })),
    )
    for (const text of texts) {
      const filters: SearchFilter[] = [
        { action: `sql.${text}` },
        { action: [`sql.${text}`, 'nothing.at all'] },
        { action: `*.${text}` },
        { actor: text },
        { actor: { email: text } },
        { resource: { type: text, id: text } },
        { resource: text, action: '*' },
        { requestId: text },
        { organizationId: text },
        { changed: text },
      ]
      for (const filter of filters) expect([filter, await search(filter)]).toEqual([filter, [text]])
      expect(ids((await audit.activity(text)).entries)).toEqual([text])
    }
  })

  it('refuses what it cannot use, names it and says what it may be, before any SQL', async () => {
    const wrong = audit as unknown as { search(filter: unknown, page?: unknown): Promise<unknown> }
    const cases: [unknown, string][] = [
      [undefined, 'must be an object of action, actor, resource'],
      [[], 'must be an object of action'],
      [{ acton: 'x' }, 'has the unknown key "acton": it must be an object of action'],
      [{ action: '' }, 'must not be empty\n  → at action'],
      [{ action: [] }, 'must be a string or a list of at least one\n  → at action'],
      [{ action: ['x', 7] }, 'must be a string\n  → at action[1]'],
      [{ action: 7 }, 'must be a string or a list of strings\n  → at action'],
      [{ action: 'a\0' }, 'NUL'],
      [{ actor: 7 }, 'must be an id, or an object of id, type and email\n  → at actor'],
      [{ actor: { name: 'x' } }, 'has the unknown key "name": it must be an id'],
      [{ actor: { id: '' } }, 'must not be empty\n  → at actor.id'],
      [{ actor: { type: 'robot' } }, 'at actor.type'],
      [{ resource: 7 }, 'must be a model or resource, or an object of type and id\n  → at resource'],
      [{ resource: { id: 7 } }, 'must be a string\n  → at resource.type'],
      [{ resource: { type: 'nothing', id: { a: 1 } } }, 'must be a string or number'],
      [{ resource: { type: 'Shelf', id: 7 } }, 'does not identify a record of Shelf'],
      [{ outcome: 'maybe' }, 'must be success or failure'],
      [{ changed: '' }, 'at changed'],
      [{ requestId: null }, 'must be a string\n  → at requestId'],
      [
        { transactionId: 'x' },
        "must be an entry's transactionId: a whole number as bigint, number or string",
      ],
      [{ transactionId: 1.5 }, 'at transactionId'],
      [{ transactionId: -1n }, 'must be from 0 to 9223372036854775807'],
      [{ transactionId: 2n ** 63n }, 'must be from 0 to 9223372036854775807'],
      [{ from: 'yesterday' }, 'must be a Date, or a string in ISO 8601'],
      [{ from: '2026-11-24T09:12:00' }, 'with Z or an offset'],
      [{ from: '2026-02-30' }, 'at from'],
      [{ to: new Date(Number.NaN) }, 'at to'],
      [{ to: new Date(8.64e15) }, 'must be from year 1 to 9999'],
      [{ from: 1_700_000_000_000 }, 'at from'],
      [{ from: '2026-01-02', to: '2026-01-01' }, 'begins at 2026-01-02T00:00:00.000Z, after its end'],
    ]
    for (const [filter, message] of cases) {
      const error = await refusal(() => wrong.search(filter))
      expect([filter, error.code]).toEqual([filter, 'AUDIT_INVALID_FILTER'])
      expect(error.message).toContain(message)
    }
    for (const page of [
      { limit: 0 },
      { limit: 1_001 },
      { limit: 1.5 },
      { limit: '5' },
      { offset: 5 },
      7,
      null,
      { cursor: 7 },
    ]) {
      expect((await refusal(() => wrong.search({}, page))).code).toBe('AUDIT_INVALID_FILTER')
    }
    expect((await refusal(() => audit.stream({ from: 'x' }))).code).toBe('AUDIT_INVALID_FILTER')
  })
})

describe('pages', () => {
  it('hold 50 entries, or what limit says, and follow one another to the end', async () => {
    const actor_id = unique('pager')
    // many entries of the same microsecond, and seq against the order of time
    await insertEntries(
      db,
      Array.from({ length: 120 }, (_, n) => ({
        actor_id,
        action: `page${n % 7}.read`,
        resource_id: String(n),
        timestamp: `2019-01-01T00:00:00.00000${9 - Math.floor(n / 15)}Z`,
      })),
    )
    const newestFirst = await db.sql<{ resource_id: string }>(
      'SELECT resource_id FROM audit_logs WHERE actor_id = $1 ORDER BY "timestamp" DESC, seq DESC',
      [actor_id],
    )
    const expected = newestFirst.map((row) => row.resource_id)
    const first = await audit.activity(actor_id)
    expect(ids(first.entries)).toEqual(expected.slice(0, 50))
    expect(first.nextCursor).toMatch(/^[\w-]+$/)
    for (const limit of [1, 7, 40, 119, 120, 1_000]) {
      expect(ids(await allPages((page) => audit.activity(actor_id, page), limit))).toEqual(expected)
      const span = { action: 'page*.read', from: '2019-01-01', to: '2019-01-02' }
      expect(ids(await allPages((page) => audit.search(span, page), limit))).toEqual(expected)
    }
    expect((await audit.activity(actor_id, { limit: 120 })).nextCursor).toBeNull()
    let size = 1
    expect(
      ids(
        await allPages(
          (page) => audit.activity(actor_id, page),
          () => size++,
        ),
      ),
    ).toEqual(expected)
  })

  it('are empty where nothing is found', async () => {
    expect(await audit.activity(unique('nobody'))).toEqual({ entries: [], nextCursor: null })
  })
})

describe('failedLogins', () => {
  it('are the failures of user.login in a time span', async () => {
    const login = { action: 'user.login', resource_type: 'user', outcome: 'failure' }
    await insertEntries(db, [
      { ...login, resource_id: 'early', timestamp: '2018-01-01T00:00:00Z' },
      { ...login, resource_id: 'first', timestamp: '2018-01-01T01:00:00Z' },
      { ...login, resource_id: 'succeeded', timestamp: '2018-01-01T01:30:00Z', outcome: 'success' },
      { ...login, resource_id: 'last', timestamp: '2018-01-01T01:59:59.999999Z' },
      { ...login, resource_id: 'late', timestamp: '2018-01-01T02:00:00Z' },
    ])
    const span = { since: new Date('2018-01-01T01:00:00Z'), until: '2018-01-01T02:00:00Z' }
    expect(ids((await audit.failedLogins(span)).entries)).toEqual(['last', 'first'])
    expect(ids(await allPages((page) => audit.failedLogins(span, page), 1))).toEqual(['last', 'first'])
    expect(ids((await audit.failedLogins({ since: '2018-01-01T02:00:00Z' })).entries)).toEqual(['late'])
  })

  it('need a beginning', async () => {
    const wrong = audit as unknown as { failedLogins(span?: unknown): Promise<unknown> }
    for (const span of [undefined, {}, { since: 'x' }, { since: '2018-01-01', to: '2018-01-02' }]) {
      expect((await refusal(() => wrong.failedLogins(span))).code).toBe('AUDIT_INVALID_FILTER')
    }
  })
})

describe('exports', () => {
  it('are all actions called export', async () => {
    await insertEntries(db, [
      { action: 'report.export', resource_id: 'report', timestamp: '2017-01-01T00:00:00Z' },
      { action: 'order.export', resource_id: 'order', timestamp: '2017-01-02T00:00:00Z' },
      { action: 'order.exported', resource_id: 'not one', timestamp: '2017-01-02T00:00:00Z' },
      { action: 'export.read', resource_id: 'nor this', timestamp: '2017-01-02T00:00:00Z' },
    ])
    const year = { from: '2017-01-01', to: '2018-01-01' }
    expect(ids((await audit.exports(year)).entries)).toEqual(['order', 'report'])
    expect(ids((await audit.exports()).entries)).toEqual(expect.arrayContaining(['order', 'report']))
  })
})

describe('transaction', () => {
  it('is what was committed together', async () => {
    await prisma.$transaction([
      prisma.tag.create({ data: { name: unique('tag') } }),
      prisma.category.create({ data: { name: 'with it' } }),
    ])
    const [entry] = (await audit.search({ resource: 'Category' })).entries
    const { entries } = await audit.transaction(entry?.transactionId ?? 0n)
    expect(entries.map(({ action }) => action)).toEqual(['category.create', 'tag.create'])
  })
})

describe('stream', () => {
  it('gives every entry that a search finds, over many batches', async () => {
    const actor_id = unique('streamer')
    await insertEntries(
      db,
      Array.from({ length: 1_234 }, (_, n) => ({ actor_id, resource_id: String(n) })),
    )
    const streamed: AuditEntry[] = []
    for await (const entry of audit.stream({ actor: actor_id })) streamed.push(entry)
    expect(streamed).toEqual(await allPages((page) => audit.search({ actor: actor_id }, page), 1_000))
    expect(streamed).toHaveLength(1_234)
  })

  it('stops when its reader does', async () => {
    for await (const entry of audit.stream({})) {
      expect(entry.seq).toEqual(expect.any(BigInt))
      break
    }
  })

  it('works inside a transaction, and sees what that wrote', async () => {
    const name = unique('tag')
    await expect(
      prisma.$transaction(async (tx) => {
        const { id } = await tx.tag.create({ data: { name } })
        expect((await tx.$audit.history('Tag', id)).entries).toHaveLength(1)
        expect((await audit.history('Tag', id)).entries).toHaveLength(0)
        const seen: string[] = []
        for await (const entry of tx.$audit.stream({ resource: { type: 'Tag', id } })) seen.push(entry.action)
        expect(seen).toEqual(['tag.create'])
        throw new Error('roll it back')
      }),
    ).rejects.toThrow('roll it back')
  })
})
