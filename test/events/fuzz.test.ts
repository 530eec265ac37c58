import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AuditEntry, AuditError, type AuditEvent } from '../../src/index.ts'
import { Prisma } from '../generated/client/client.ts'
import { createEvents } from './events.ts'

const { db, prisma, refusal } = await createEvents()

describe('whatever an event holds', () => {
  const hostile = [
    "'); DROP TABLE audit_logs; --",
    '"; DELETE FROM audit_logs; --',
    "' OR '1'='1",
    '$1',
    '\\',
    "\\'); --",
    "E'\\047",
    '${process.env.HOME}',
    '{"json": "inside"}',
    '\u2028\u202e\u0007',
    '%s%n',
  ]

  it.each(hostile)('is stored literally: %s', async (text) => {
    const entry = await prisma.$audit.record({
      action: 'probe.run',
      actor: { id: text, type: 'user', email: text },
      resource: { type: text, id: text },
      reason: text,
      details: { [text]: text },
      requestId: text,
      userAgent: text,
      organizationId: text,
      metadata: { [text]: [text] },
    })
    expect(entry).toMatchObject({
      actor: { id: text, type: 'user', email: text },
      resource: { type: text, id: text },
      reason: text,
      requestId: text,
      userAgent: text,
      organizationId: text,
    })
    expect(entry.details).toEqual({ [text]: text, metadata: { [text]: [text] } })
    const [row] = await db.sql('SELECT actor_id, organization_id FROM audit_logs WHERE id = $1', [entry.id])
    expect(row).toEqual({ actor_id: text, organization_id: text })
    expect((await refusal(() => prisma.$audit.record({ action: text }))).code).toBe('AUDIT_INVALID_EVENT')
    expect((await refusal(() => prisma.$audit.record({ action: 'a.b', ip: text }))).code).toBe(
      'AUDIT_INVALID_EVENT',
    )
  })

  it('gives the entry with the expected JSON, or an AuditError', async () => {
    let storedRuns = 0
    await fc.assert(
      fc.asyncProperty(objectWithJson, async ({ value, json }) => {
        const outcome = await prisma.$audit
          .record({ action: 'a.b', details: value as Record<string, unknown> })
          .catch((error: unknown) => error)
        if (json === refused) {
          expect(outcome).toMatchObject({ name: 'AuditError', code: 'AUDIT_INVALID_EVENT' })
        } else {
          storedRuns += 1
          const { details } = outcome as AuditEntry
          if (!isDeepStrictEqual(details, json)) expect(details).toEqual(json)
        }
      }),
      { numRuns: 400 },
    )
    expect(storedRuns).toBeGreaterThan(100)
  })

  it('gives an entry or an AuditError, also when it is no event at all', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvent, async (event) => {
        const outcome = await prisma.$audit.record(event as AuditEvent).catch((error: unknown) => error)
        const isEntry = typeof outcome === 'object' && outcome !== null && 'seq' in outcome
        expect(isEntry || outcome instanceof AuditError ? 'entry or AuditError' : outcome).toBe(
          'entry or AuditError',
        )
      }),
      { numRuns: 400 },
    )
  })
})

describe('whatever the helpers get', () => {
  it('gives an entry or an AuditError', async () => {
    const { $audit } = prisma
    const id = or(fc.oneof(text, fc.integer(), fc.bigInt()))
    const type = or(fc.constantFrom('User', 'report', 'Post'))
    const calls = fc.oneof(
      fc
        .tuple(id, anything, anything)
        .map((call) => () => $audit.logLogin(...(call as [never, never, never]))),
      fc.tuple(id, type, id).map((call) => () => $audit.logDataAccess(...(call as [never, never, never]))),
      fc
        .tuple(id, type, id, or(fc.constantFrom('create', 'delete', 'merge')), anyChange)
        .map((call) => () => $audit.logDataChange(...(call as [never, never, never, never, never]))),
      fc.tuple(type, anything).map((call) => () => $audit.logExport(...(call as [never, never]))),
    )
    await fc.assert(
      fc.asyncProperty(calls, async (call) => {
        const outcome = await call().catch((error: unknown) => error)
        const isEntry = typeof outcome === 'object' && outcome !== null && 'seq' in outcome
        expect(isEntry || outcome instanceof AuditError ? 'entry or AuditError' : outcome).toBe(
          'entry or AuditError',
        )
      }),
      { numRuns: 400 },
    )
  })

  it('also where a getter throws', async () => {
    const throwing = {
      get reason() {
        throw new TypeError('no')
      },
      get before() {
        throw new TypeError('no')
      },
    }
    for (const work of [
      () => prisma.$audit.logLogin('ada', false, throwing),
      () => prisma.$audit.logDataChange('ada', 'user', 1, 'merge', throwing as object),
      () => prisma.$audit.record(new Proxy({} as AuditEvent, { get: () => throwing.reason })),
    ]) {
      expect((await refusal(work)).code).toBe('AUDIT_INVALID_EVENT')
    }
  })
})

const refused = Symbol('refused')

/** A value of an application, and what the log is to hold of it; undefined where that is nothing. */
interface WithJson {
  value: unknown
  json: unknown
}

const storable = (text: string) => !text.includes('\0') && text.isWellFormed()
const withJson = <T>(arbitrary: fc.Arbitrary<T>, json: (value: T) => unknown): fc.Arbitrary<WithJson> =>
  arbitrary.map((value) => ({ value, json: json(value) }))

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string() },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)
const key = fc.oneof(
  { weight: 20, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.constant('__proto__') },
)

const leaf = fc.oneof(
  { weight: 10, arbitrary: withJson(text, (value) => (storable(value) ? value : refused)) },
  {
    weight: 10,
    arbitrary: withJson(fc.double(), (value) => (Number.isFinite(value) ? value + 0 : String(value))),
  },
  { weight: 5, arbitrary: withJson(fc.bigInt(), String) },
  { weight: 5, arbitrary: withJson(fc.constantFrom(true, false, null, undefined), (value) => value) },
  {
    weight: 5,
    arbitrary: withJson(fc.date({ noInvalidDate: true }), (value) => value.toISOString()),
  },
  {
    weight: 5,
    arbitrary: withJson(fc.uint8Array(), (value) => Buffer.from(value).toString('base64')),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.bigInt(), fc.stringMatching(/^([0-9]{0,30}[1-9])?$/))
      .filter(([whole]) => whole !== 0n)
      .map(([whole, digits]) => {
        const json = digits === '' ? String(whole) : `${whole}.${digits}`
        return { value: new Prisma.Decimal(json), json }
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<unknown>(() => 1, Symbol('x'), new Date(Number.NaN), 'a\0b', '\ud800', Promise.resolve())
      .map((value) => ({ value, json: refused })),
  },
)

const isAny = (jsons: unknown[], what: unknown) => jsons.some((json) => json === what)
const listOf = (parts: WithJson[]) => {
  const jsons = parts.map(({ json }) => json)
  return isAny(jsons, refused) ? refused : jsons.map((json) => json ?? null)
}
const recordOf = (entries: [string, WithJson][]) => {
  if (entries.some(([name, { json }]) => json === refused || !storable(name))) return refused
  return Object.fromEntries(entries.flatMap(([name, { json }]) => (json === undefined ? [] : [[name, json]])))
}
const entriesOf = (inner: fc.Arbitrary<WithJson>) =>
  fc.uniqueArray(fc.tuple(key, inner), { selector: ([name]) => name, maxLength: 6 })
const values = (entries: [string, WithJson][]) => entries.map(([name, { value }]) => [name, value] as const)

const { compound } = fc.letrec<{ any: WithJson; compound: WithJson }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, leaf, tie('compound')),
  compound: fc.oneof(
    entriesOf(tie('any')).map((entries) => ({
      value: Object.fromEntries(values(entries)),
      json: recordOf(entries),
    })),
    fc.array(tie('any'), { maxLength: 5 }).map((parts) => ({
      value: parts.map(({ value }) => value),
      json: listOf(parts),
    })),
    entriesOf(tie('any')).map((entries) => ({ value: new Map(values(entries)), json: recordOf(entries) })),
    fc.uniqueArray(leaf, { selector: ({ value }) => value, maxLength: 5 }).map((parts) => ({
      value: new Set(parts.map(({ value }) => value)),
      json: listOf(parts),
    })),
    tie('any').map(({ value, json }) => ({ value: { toJSON: () => value }, json })),
  ),
}))

const objectWithJson = entriesOf(fc.oneof(leaf, compound)).map((entries) => ({
  value: Object.fromEntries(values(entries)),
  json: recordOf(entries),
}))

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
})
const or = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: anything })

const anyChange = or(
  fc.record(
    { before: or(fc.dictionary(fc.string(), anything)), after: or(fc.dictionary(fc.string(), anything)) },
    { requiredKeys: [] },
  ),
)

const anyEvent = fc.oneof(
  { weight: 1, arbitrary: anything },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        action: or(fc.constantFrom('a.b', 'User.login', 'x.y-z')),
        actor: or(
          fc.record(
            { id: text, type: fc.constantFrom('user', 'system'), email: text },
            { requiredKeys: ['id', 'type'] },
          ),
        ),
        resource: or(fc.record({ type: text, id: fc.oneof(text, fc.integer(), fc.bigInt()) })),
        outcome: or(fc.constantFrom('success', 'failure')),
        reason: or(text),
        details: or(fc.dictionary(fc.string(), anything)),
        requestId: or(text),
        ip: or(fc.oneof(fc.ipV4(), fc.ipV6())),
        userAgent: or(text),
        organizationId: or(text),
        metadata: or(fc.dictionary(fc.string(), anything)),
      },
      { requiredKeys: ['action'] },
    ),
  },
)
