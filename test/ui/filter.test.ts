import { describe, expect, it } from 'vitest'
import { type SearchFilter, startShipping, withAudit } from '../../src/index.ts'
import { type AuditPageOptions, auditPage } from '../../src/ui/index.ts'
import type { WireActivity, WireEntry, WireOverview, WirePage } from '../../src/ui/wire.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { insertSamples, minute, type Sample } from './entries.ts'
import { mine, pairs, queries, secret, theirs } from './foreign-queries.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))

/** The same things happened in both organizations, in the same transactions, to records with the same ids. */
const both: Omit<Sample, 'organizationId' | 'actor'>[] = [
  { at: minute(0), action: 'order.create', details: { after: { id: 1 } }, transactionId: 7 },
  {
    at: minute(1),
    action: 'order.update',
    details: { changed: ['total'] },
    transactionId: 7,
    requestId: 'r1',
  },
  { at: minute(2), action: 'user.login', outcome: 'failure', reason: 'wrong password', ip: '203.0.113.7' },
  {
    at: minute(3),
    action: 'patient.read',
    resource: { type: 'patient', id: null },
    details: { ids: ['1', '2'] },
  },
  { at: minute(4), action: 'report.export', resource: { type: 'report', id: 'q3' } },
]
const of = (organization: string): Sample[] =>
  both.map((sample) => ({
    ...sample,
    organizationId: organization,
    actor: { id: `ada of ${organization}`, email: `ada@${organization}.example` },
    details: { ...(sample.details as object), note: organization },
  }))
const ids = {
  mine: await insertSamples(database, of(mine)),
  theirs: await insertSamples(
    database,
    [
      ...of(theirs),
      { ...(of(theirs)[0] as Sample), action: `${secret}.create`, resource: { type: secret, id: secret } },
      { ...(of(theirs)[2] as Sample), at: '2026-05-01T00:00:00Z', ip: '203.0.113.66' },
    ].map((sample, index) => ({ ...sample, at: new Date(Date.parse(sample.at) + index + 1).toISOString() })),
  ),
  nobody: await insertSamples(database, [
    { at: '2026-03-01T10:02:30Z', action: 'order.update', details: { note: secret } },
  ]),
}

const pageOf = (filter: SearchFilter, more: AuditPageOptions = {}) => {
  const page = auditPage(prisma, { filter, ...more })
  return async (path: string) => {
    const response = await page(new Request(`http://localhost${path}`))
    return { status: response.status, text: await response.text() }
  }
}
const ask = pageOf({ organizationId: mine })
const json = async <Answer>(path: string) => JSON.parse((await ask(path)).text) as Answer

describe('a page fixed to an organization', () => {
  it('has its entries, and all of them', async () => {
    const { entries } = await json<WirePage>('/api/entries')
    expect(entries.map(({ id }) => id)).toEqual(ids.mine.toReversed())
    const found = async (query: string) =>
      (await json<WirePage>(`/api/entries?${query}`)).entries.map(({ id }) => ids.mine.indexOf(id))
    expect(await found('resource=order&id=1')).toEqual([1, 0])
    expect(await found('resource=patient&id=2')).toEqual([3])
    expect(await found(`organization=${mine}`)).toEqual([4, 3, 2, 1, 0])
    expect(await found('transaction=7')).toEqual([1, 0])
    expect(await found('text=wrong')).toEqual([2])
  })

  it.each(['entries', 'activity', 'failed-logins', 'export'])(
    'shows nothing of others by any filter of %s',
    { timeout: 120_000 },
    async (name) => {
      for (const query of queries) {
        const { status, text } = await ask(
          `/api/${name}?${query}${name === 'export' ? '&format=ndjson' : ''}`,
        )
        expect([200, 400], query).toContain(status)
        if (status === 400) continue
        expect(text, query).not.toContain(secret)
        for (const id of [...ids.theirs, ...ids.nobody]) expect(text, query).not.toContain(id)
      }
    },
  )

  it('has no entry of others by its address', async () => {
    for (const id of [...ids.theirs, ...ids.nobody]) {
      expect((await ask(`/api/entries/${id}`)).status).toBe(404)
      expect((await ask(`/api/entries/${id}?organization=${theirs}`)).status).toBe(404)
    }
    const whole = await json<WireEntry>(`/api/entries/${ids.mine[0]}`)
    expect(whole.organizationId).toBe(mine)
  })

  it('counts its own entries only', { timeout: 60_000 }, async () => {
    for (const query of queries.slice(0, 20)) {
      const { status, text } = await ask(`/api/activity?${query}`)
      if (status !== 200) continue
      const { counts } = JSON.parse(text) as WireActivity
      const total = counts.reduce((sum, [, successes, failures]) => sum + successes + failures, 0)
      expect(total, query).toBeLessThanOrEqual(ids.mine.length)
    }
    const { counts } = await json<WireActivity>('/api/activity')
    expect(counts.reduce((sum, [, successes, failures]) => sum + successes + failures, 0)).toBe(5)
    // nor does it tell from when to when others were there
    expect(await json(`/api/activity?organization=${theirs}`)).toMatchObject({ counts: [], sample: 1 })
    expect(await json('/api/failed-logins')).toMatchObject({
      counted: 1,
      actors: [{ key: `ada of ${mine}`, count: 1 }],
      addresses: [{ key: '203.0.113.7', count: 1 }],
    })
  })

  it('has only its own actions, resources and actors to choose from, and no name of the database', async () => {
    const overview = await json<WireOverview>('/api/overview')
    expect(overview).toEqual({
      ...{ name: '', estimate: 0 },
      actions: ['order.create', 'order.update', 'patient.read', 'report.export', 'user.login'],
      resourceTypes: ['order', 'patient', 'report', 'user'],
      actors: [{ id: `ada of ${mine}`, type: 'user', email: `ada@${mine}.example` }],
    })
  })

  it('does not say where the log is shipped, nor how far that is', async () => {
    const sink = { name: 'archive', write: async () => {} }
    const shipping = await startShipping(prisma, { sinks: [sink], onError: () => {} })
    await shipping.stop()
    const whole = auditPage(prisma)
    const asked = async (path: string) => (await whole(new Request(`http://localhost${path}`))).json()
    expect(await asked('/api/overview')).toMatchObject({ hasSinks: true })
    expect(await asked('/api/delivery')).toMatchObject({ sinks: [{ name: 'archive' }] })
    expect(await json('/api/overview')).not.toHaveProperty('hasSinks')
    for (const query of ['', '?filter=', ...pairs.map((pair) => `?${new URLSearchParams([pair])}`)]) {
      expect((await ask(`/api/delivery${query}`)).status).toBe(404)
    }
    expect((await ask('/?view=delivery')).text).not.toContain('archive')
  })

  it('does not say that an event stands beside a change of somebody else', async () => {
    const transaction = { at: '2026-04-01T00:00:00Z', transactionId: 55, details: { after: {} } }
    const [event] = await insertSamples(database, [
      { ...transaction, action: 'report.print', organizationId: 'initech', details: null },
      { ...transaction, action: 'order.create', organizationId: theirs },
    ])
    const beside = async (filter: SearchFilter) =>
      JSON.parse((await pageOf(filter)(`/api/entries/${event}`)).text).besideChange
    expect(await beside({ organizationId: 'initech' })).toBe(false)
    expect(await beside({ action: '*' })).toBe(true)
  })

  it('takes no cursor from elsewhere, and goes on with its own within its own', async () => {
    const whole = auditPage(database.url)
    const anyone = (await (
      await whole(new Request('http://localhost/api/entries?limit=1'))
    ).json()) as WirePage
    const others = JSON.parse(
      (await pageOf({ organizationId: theirs })('/api/entries?limit=1')).text,
    ) as WirePage
    for (const { nextCursor } of [anyone, others]) {
      expect(nextCursor).toEqual(expect.any(String))
      expect((await ask(`/api/entries?cursor=${nextCursor}`)).status).toBe(400)
      expect((await ask(`/api/entries?cursor=${nextCursor}&organization=${theirs}`)).status).toBe(400)
    }
    const seen: string[] = []
    let cursor: string | null = ''
    do {
      const next: WirePage = await json<WirePage>(`/api/entries?limit=2&cursor=${cursor}`)
      seen.push(...next.entries.map(({ id }) => id))
      cursor = next.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(ids.mine.toReversed())
  })

  it('exports its entries, as a file', async () => {
    const csv = await ask(`/api/export?format=csv&organization=${mine}`)
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(1 + ids.mine.length)
    const { text } = await ask('/api/export?format=ndjson')
    const exported = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id)
    expect(exported).toEqual(ids.mine.toReversed())
  })
})

describe('a page fixed to something else', () => {
  it.each<[string, SearchFilter, string, number[]]>([
    ['actions, asked for others', { action: 'order.*' }, 'action=user.login', []],
    ['actions, asked for some of them', { action: ['order.*', 'user.*'] }, 'action=*.update', [1]],
    ['a model', { resource: 'Order' }, 'action=*', [1, 0]],
    ['a record, asked for another', { resource: { type: 'order', id: 1 } }, 'resource=order&id=2', []],
    ['a record that was read with others', { resource: { type: 'patient', id: 2 } }, '', [3]],
    [
      'a time span, asked for a longer one',
      { from: minute(1), to: minute(3) },
      'from=2000-01-01T00:00:00Z',
      [2, 1],
    ],
    [
      'a time span, to the microsecond',
      { from: '2026-03-01T10:01:00.000001Z' },
      'from=2026-03-01T10:01:00.0000Z&to=2026-03-01T10:01:00.0000009Z',
      [],
    ],
    ['a changed field', { changed: 'total' }, 'action=order.*', [1]],
    ['an actor', { actor: `ada of ${theirs}` }, `actor=ada+of+${mine}`, []],
    ['an outcome', { outcome: 'failure' }, 'outcome=success', []],
  ])('%s', async (_, filter, query, expected) => {
    const { status, text } = await pageOf({ ...filter })(`/api/entries?${query}`)
    if (status !== 200) return expect([status, expected]).toEqual([400, []])
    const { entries } = JSON.parse(text) as WirePage
    const found = entries.map(({ id }) => ids.mine.indexOf(id)).filter((index) => index >= 0)
    expect(found).toEqual(expected)
  })
})

describe('a filter that would show more than it says', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['empty', {}],
    ['an organization that is undefined', { organizationId: undefined }],
    ['an organization that is null', { organizationId: null }],
    ['one part undefined', { organizationId: 'acme', actor: undefined }],
    ['one part undefined inside', { actor: { id: undefined } }],
    ['an empty text', { organizationId: '' }],
    ['no action', { action: [] }],
    ['an unknown key', { organisationId: 'acme' }],
    ['a function', () => ({ organizationId: 'acme' })],
  ])('is refused: %s', (_, filter) => {
    expect(() => auditPage(prisma, { filter } as AuditPageOptions)).toThrow(
      expect.objectContaining({ code: 'AUDIT_INVALID_OPTIONS' }),
    )
  })
})
