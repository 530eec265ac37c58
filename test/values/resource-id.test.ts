import { Decimal } from '@prisma/client/runtime/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import type { StoredModel } from '../../src/models/stored-models.ts'
import { keyText } from '../../src/values/key-text.ts'
import { keyIn, parseRecordId, resourceId } from '../../src/values/resource-id.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()

// Everything with a key of all kinds: a part that is never visible, an enum with another label, and any text
const keyed = await createDatabase()
await keyed.sql(
  'ALTER TABLE "Everything" DROP CONSTRAINT "Everything_pkey", ADD PRIMARY KEY (level, varchar, text, id)',
)
const prisma = withAudit(createClient(keyed.url), {
  reads: ['Everything'],
  redact: { Everything: ['varchar'] },
})

function model(...keys: [name: string, databaseType: string, declared?: string][]): StoredModel {
  const key = keys.map(([name, databaseType, declared = databaseType]) => ({
    ...{ name, column: name, type: 'String', isEnum: false, isList: false, databaseType, declared },
    columnType: {
      ...{ builtIn: databaseType, name: databaseType, isEnum: false, precision: 6, element: undefined },
    },
    ...{ isNullable: false, computed: undefined, labels: new Map(), isUpdatedAt: false },
  }))
  return {
    name: 'Thing',
    resource: 'thing',
    table: 'thing',
    schema: undefined,
    fields: new Map(),
    location: { name: 'thing' },
    relations: new Map(),
    generatedColumns: [],
    scalars: key,
    key,
  }
}

/** The text of a value as PostgreSQL has it. */
async function storedText(declared: string, value: string): Promise<string | undefined> {
  const [row] = await db.sql<{ text: string }>(
    `SELECT format('%s', to_jsonb($1::text::${declared}) #>> '{}') AS text`,
    [value],
  )
  return row?.text
}

describe("a key's text", () => {
  const cases: [declared: string, value: unknown, text: string][] = [
    ['int4', 42, '42'],
    ['int4', ' +042 ', '42'],
    ['int8', 9007199254740993n, '9007199254740993'],
    ['int8', -1n, '-1'],
    ['bool', true, 'true'],
    ['text', 'ä "x" \\ ', 'ä "x" \\ '],
    ['uuid', '0197B2C4-6F1E-7C3A-9D2B-5E8F0A1B2C3D', '0197b2c4-6f1e-7c3a-9d2b-5e8f0a1b2c3d'],
    ['uuid', '{0197b2c46f1e7c3a9d2b5e8f0a1b2c3d}', '0197b2c4-6f1e-7c3a-9d2b-5e8f0a1b2c3d'],
    ['numeric(10,2)', new Decimal('1.5'), '1.50'],
    ['numeric(10,2)', '-01.5', '-1.50'],
    ['numeric(10,2)', 0, '0.00'],
    ['numeric(30,0)', new Decimal('1e25'), `1${'0'.repeat(25)}`],
    ['numeric', new Decimal('1e-9'), '0.000000001'],
    ['bpchar(5)', 'ab', 'ab   '],
    ['bpchar(3)', '🙂', '🙂  '],
    ['date', new Date('2026-11-24T00:00:00Z'), '2026-11-24'],
    ['timestamptz', new Date('2026-11-24T09:12:00.5Z'), '2026-11-24T09:12:00.500Z'],
    ['timestamptz', '2026-11-24T10:12:00.123456+01:00', '2026-11-24T09:12:00.123456Z'],
    ['timestamp', '2026-11-24T09:12:00.120Z', '2026-11-24T09:12:00.120Z'],
    ['time', new Date('1970-01-01T09:12:00.120Z'), '09:12:00.12'],
    ['timetz', new Date('1970-01-01T09:12:00Z'), '09:12:00+00'],
    ['bytea', new Uint8Array([0, 255]), 'AP8='],
  ]
  it.each(cases)('of %s %s is %s', (declared, value, text) => {
    const databaseType = declared.replace(/\(.*/, '')
    expect(keyText({ databaseType, declared: declared.replace('bpchar', 'character') }, value)).toBe(text)
  })

  it('of floats is what PostgreSQL writes', async () => {
    const known = [0, 1, -1, 0.1, 1e-4, 1e-5, 123456, 1234567, 1e15, 1e14, 1e21, -2.5e-7]
    const doubles = fc
      .sample(fc.double({ noNaN: true, min: -1e15, max: 1e15, maxExcluded: true, minExcluded: true }), 200)
      .map((number) => Number(number.toPrecision(15)))
    const cases = [
      ...known.map((number) => ({ declared: 'float4', number })),
      ...[...known, ...doubles].map((number) => ({ declared: 'float8', number })),
    ]
    for (const { declared, number } of cases) {
      expect(keyText({ databaseType: declared, declared }, number)).toBe(
        await storedText(declared, String(number)),
      )
    }
  })

  it('of numerics and integers is what PostgreSQL writes', async () => {
    const digits = fc
      .tuple(fc.constantFrom('', '-'), fc.nat(), fc.nat(999))
      .map(([sign, a, b]) => `${sign}${a}.${b}`)
    for (const text of fc.sample(digits, 100)) {
      expect(keyText({ databaseType: 'numeric', declared: 'numeric(20,5)' }, text)).toBe(
        await storedText('numeric(20,5)', text),
      )
      expect(keyText({ databaseType: 'numeric', declared: 'numeric' }, text)).toBe(
        await storedText('numeric', text),
      )
    }
  })
})

describe('the id of a record', () => {
  const simple = model(['id', 'int4'])
  const composite = model(['order', 'int4'], ['product', 'text'])

  it('is found in the objects that Prisma takes', () => {
    expect(keyIn(simple, { id: 42, name: 'x' })).toEqual([42])
    expect(keyIn(simple, { id: { in: [42] } })).toBeUndefined()
    expect(keyIn(composite, { order: 1, product: 'a' })).toEqual([1, 'a'])
    expect(keyIn(composite, { order_product: { product: 'a', order: 1 } })).toEqual([1, 'a'])
    expect(keyIn(composite, { named: { order: 1, product: 'a' } })).toEqual([1, 'a'])
    expect(keyIn(composite, { order: 1 })).toBeUndefined()
    for (const value of [
      undefined,
      null,
      [],
      7,
      { id: null },
      { id: Number.NaN },
      { id: new Date('x') },
      { id: '\0' },
    ]) {
      expect(keyIn(simple, value)).toBeUndefined()
    }
  })

  it('of a composite key is a JSON array of texts, in key order', () => {
    expect(resourceId(composite, [1, 'a"b'])).toBe('["1","a\\"b"]')
    expect(parseRecordId(composite, { product: 'a', order: 1 })).toBe('["1","a"]')
    expect(parseRecordId(composite, '["1","a"]')).toBe('["1","a"]')
  })

  it('is cut at 255 characters, as the log has it', () => {
    expect(resourceId(model(['id', 'text']), ['🙂'.repeat(300)])).toBe('🙂'.repeat(255))
  })
})

describe('the id in the entries of a change, of a failed write and of a read', () => {
  it.each([
    ['an enum and a redacted part', 'x', '["high level","[redacted]","x","1"]'],
    [
      'what JSON escapes',
      'a"b\\c/\b\f\n\r\t\u0001\u007fé\u2028',
      '["high level","[redacted]","a\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\u007fé\u2028","1"]',
    ],
    ['more than 255 characters', '🙂'.repeat(300), `["high level","[redacted]","${'🙂'.repeat(227)}`],
  ])('is one, with %s', async (_, text, id) => {
    const [, since] = [await keyed.sql('ALTER SEQUENCE "Everything_id_seq" RESTART'), await keyed.lastSeq()]
    const data = { level: 'HIGH', varchar: 'secret', text } as const
    const where = { id: 1n, ...data }
    await prisma.everything.create({ data })
    await prisma.everything.findUnique({ where })
    await expect(prisma.everything.update({ where, data: { char: 'too long' } })).rejects.toThrow()
    await prisma.everything.delete({ where })
    const entries = await keyed.entries(since)
    expect(entries.map(({ action, outcome, resource_id }) => [action, outcome, resource_id])).toEqual([
      ['everything.create', 'success', id],
      ['everything.read', 'success', id],
      ['everything.update', 'failure', id],
      ['everything.delete', 'success', id],
    ])
  })
})
