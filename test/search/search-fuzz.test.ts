import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuditError, type SearchFilter, withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { type GivenEntry, insertEntries } from '../support/insert-entries.ts'
import { allPages } from './all-pages.ts'

const db = await createDatabase()
const { $audit: audit } = withAudit(createClient(db.url))

// few values of each kind, so that filters meet entries, and some that SQL or LIKE could trip over
const resources = ['order', 'user', 'it%m', "o'b\\r"]
const verbs = ['create', 'update', 'export', 'l_gin', 'connect', 'read', 'read']
const actors = ['ada', 'grace', "'; DROP TABLE audit_logs; --", '$1', '{"a"}']
const emails = ['ada@example.com', '%', '']
const words = ['status', 'total', '"quoted"', '日本']
const days = ['2026-01-01', '2026-01-02', '2026-01-03']
// ties, and neighbours by a microsecond
const times = days.flatMap((day) =>
  ['00:00:00', '00:00:00.000001', '12:00:00.5', '12:00:00.500001'].map((time) => `${day}T${time}Z`),
)
const recordIds = ['1', '2', "a'b", '["1","2"]']
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })

type FuzzedEntry = Required<Omit<GivenEntry, 'id' | 'reason' | 'ip' | 'details'>> & {
  details: { [field: string]: unknown } | null
}
const entry: fc.Arbitrary<FuzzedEntry> = fc
  .record({
    timestamp: fc.constantFrom(...times),
    resource_type: fc.constantFrom(...resources),
    verb: fc.constantFrom(...verbs),
    actor_id: fc.constantFrom(...actors),
    actor_type: fc.constantFrom('user', 'system', 'api_key'),
    actor_email: optional(fc.constantFrom(...emails)),
    resource_id: optional(fc.constantFrom(...recordIds)),
    outcome: fc.constantFrom('success', 'failure'),
    details: optional(
      fc.oneof(
        fc.record({ changed: fc.subarray(words) }),
        fc.record({ ids: fc.subarray(recordIds) }),
        fc.constantFrom({ changed: 'status' }, { changed: { status: 1 } }, {}),
      ),
    ),
    request_id: optional(fc.constantFrom('r1', 'r2')),
    organization_id: optional(fc.constantFrom('o1', 'o2')),
    transaction_id: fc.constantFrom('7', '8', '9007199254740993'),
  })
  .map(({ verb, ...rest }) => ({ ...rest, action: `${rest.resource_type}.${verb}` }))

const given = fc.sample(entry, { numRuns: 400, seed: 20_260_101 })
await insertEntries(db, given)

/** All entries in the order of pages, as they were given. */
const entries = await (async () => {
  const rows = await db.sql<{ seq: string }>('SELECT seq FROM audit_logs ORDER BY seq')
  const microseconds = (text: string) =>
    text.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${digits.padEnd(6, '0')}`)
  return given
    .map((one, index) => ({ ...one, seq: BigInt(rows[index]?.seq ?? 0), time: microseconds(one.timestamp) }))
    .sort((a, b) => (a.time === b.time ? Number(b.seq - a.seq) : a.time < b.time ? 1 : -1))
})()

const pattern = fc
  .tuple(
    fc.constantFrom('*', '', ...resources),
    fc.constantFrom('.', '*', '.*'),
    fc.constantFrom('*', '', ...verbs),
  )
  .map((parts) => parts.join(''))
  .filter((text) => text !== '')
const oneOrMore = (arbitrary: fc.Arbitrary<string>) =>
  fc.oneof(arbitrary, fc.array(arbitrary, { minLength: 1, maxLength: 3 }))
const moment = fc
  .constantFrom(...times, ...days)
  .chain((time) => fc.constantFrom<Date | string>(time, new Date(time)))

const filter: fc.Arbitrary<SearchFilter> = fc.record(
  {
    action: oneOrMore(fc.oneof(pattern, fc.constantFrom(...entries.map(({ action }) => action)))),
    actor: fc.oneof(
      fc.constantFrom(...actors),
      fc.record(
        {
          id: fc.constantFrom(...actors),
          type: fc.constantFrom('user' as const, 'system' as const, 'api_key' as const),
          email: fc.constantFrom('ada@example.com', '%'),
        },
        { requiredKeys: [] },
      ),
    ),
    // names of models are tested elsewhere; here a resource is text
    resource: fc.oneof(
      fc.constantFrom('order', 'it%m', "o'b\\r"),
      fc.record(
        {
          type: fc.constantFrom('order', 'it%m', "o'b\\r"),
          id: fc.constantFrom(...recordIds),
        },
        { requiredKeys: ['type'] },
      ),
    ),
    outcome: fc.constantFrom('success' as const, 'failure' as const),
    changed: oneOrMore(fc.constantFrom(...words)),
    requestId: fc.constantFrom('r1', 'r2'),
    organizationId: fc.constantFrom('o1', 'o2'),
    transactionId: fc.constantFrom(7, '8', 9007199254740993n),
    from: moment,
    to: moment,
  },
  { requiredKeys: [] },
)

/** A read of several records names them in its details. */
function isReadOf({ resource_id, action, details }: FuzzedEntry, id: unknown): boolean {
  return (
    resource_id === null &&
    action.endsWith('.read') &&
    Array.isArray(details?.ids) &&
    details.ids.includes(id)
  )
}

/** The same by plain JavaScript. */
function meets(one: (typeof entries)[number], wanted: SearchFilter): boolean {
  const { actor, resource, changed, outcome, requestId, organizationId, transactionId, from, to } = wanted
  const list = (value: string | string[]) => (Array.isArray(value) ? value : [value])
  const who = typeof actor === 'string' ? { id: actor } : actor
  const what = typeof resource === 'string' ? { type: resource } : resource
  const changedFields = Array.isArray(one.details?.changed) ? one.details.changed : []
  const micros = (time: Date | string) => {
    const iso = typeof time === 'string' ? time : time.toISOString()
    const full = iso.length === 10 ? `${iso}T00:00:00Z` : iso
    return full.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${digits.padEnd(6, '0')}`)
  }
  return [
    wanted.action === undefined || list(wanted.action).some((action) => matches(one.action, action)),
    who?.id === undefined || one.actor_id === who.id,
    who?.type === undefined || one.actor_type === who.type,
    who?.email === undefined || one.actor_email === who.email,
    what === undefined || one.resource_type === what.type,
    what?.id === undefined || one.resource_id === what.id || isReadOf(one, what.id),
    outcome === undefined || one.outcome === outcome,
    changed === undefined || list(changed).some((field) => changedFields.includes(field)),
    requestId === undefined || one.request_id === requestId,
    organizationId === undefined || one.organization_id === organizationId,
    transactionId === undefined || one.transaction_id === String(transactionId),
    from === undefined || one.time >= micros(from),
    to === undefined || one.time < micros(to),
  ].every((condition) => condition)
}

function matches(action: string, wanted: string): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${wanted.split('*').map(literal).join('.*')}$`, 's').test(action)
}

describe('search and stream', () => {
  it('find what a filter in JavaScript finds, page by page and as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        filter,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        async (wanted, limits) => {
          const { from, to } = wanted
          fc.pre(!(from && to) || new Date(from) <= new Date(to))
          const expected = entries.filter((one) => meets(one, wanted)).map(({ seq }) => seq)
          let page = 0
          const paged = await allPages(
            (options) => audit.search(wanted, options),
            () => limits[page++ % limits.length] ?? 1,
          )
          expect(paged.map(({ seq }) => seq)).toEqual(expected)
          const streamed: bigint[] = []
          for await (const { seq } of audit.stream(wanted)) streamed.push(seq)
          expect(streamed).toEqual(expected)
        },
      ),
      { numRuns: 300 },
    )
  }, 180_000)

  it('give a result or an AuditError, whatever they get', async () => {
    const wrong = audit as unknown as Record<string, (...parameters: unknown[]) => Promise<unknown>>
    const keys = [
      'action',
      'actor',
      'resource',
      'outcome',
      'changed',
      'requestId',
      'organizationId',
      'transactionId',
      'from',
      'to',
    ]
    const value = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true }),
      fc.string({ unit: 'binary' }),
      fc.date({ noInvalidDate: false }),
      fc.bigInt(),
      fc.constantFrom(
        Symbol('x'),
        () => 1,
        '2026-01-01T00:00:00.123456789Z',
        '0000-01-01',
        '9999-12-31T23:59:59-23:59',
      ),
    )
    const anyFilter = fc.oneof(
      value,
      fc.dictionary(fc.constantFrom(...keys), value),
      fc.dictionary(fc.constantFrom('type', 'id'), value).map((resource) => ({ resource })),
    )
    const anyPage = fc.oneof(value, fc.dictionary(fc.constantFrom('limit', 'cursor'), value))
    const models = fc.oneof(
      value,
      fc.constantFrom('User', 'Shelf', 'Everything', 'Profile', 'Country', 'order'),
    )
    const call = fc.oneof(
      fc.tuple(
        fc.constantFrom('search', 'failedLogins', 'exports', 'transaction', 'activity'),
        fc.tuple(anyFilter, fc.option(anyPage, { nil: undefined })),
      ),
      fc.tuple(fc.constant('history'), fc.tuple(models, value, fc.option(anyPage, { nil: undefined }))),
    )
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(call, async ([helper, parameters]) => {
        try {
          const page = await wrong[helper]?.(...parameters)
          expect(page).toEqual({
            entries: expect.any(Array),
            nextCursor: expect.toBeOneOf([null, expect.any(String)]),
          })
          accepted++
        } catch (error) {
          if (!(error instanceof AuditError)) throw error
          expect(['AUDIT_INVALID_FILTER', 'AUDIT_INVALID_CURSOR']).toContain(error.code)
        }
      }),
      { numRuns: 2_000 },
    )
    expect(accepted).toBeGreaterThan(0)
  }, 180_000)
})
