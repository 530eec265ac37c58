import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))
const plain = createClient(db.url)

/** What stateAt gives must be what findUnique gives, whether it comes from an entry or from the row itself. */
async function expectPrismasValues(columns: string, values: string): Promise<void> {
  const insert = `INSERT INTO "Everything" (${columns}) VALUES (${values}) RETURNING id`
  const [recorded] = await prisma.$queryRawUnsafe<{ id: bigint }[]>(insert)
  const [unrecorded] = await plain.$queryRawUnsafe<{ id: bigint }[]>(insert)
  for (const row of [recorded, unrecorded]) {
    if (!row) throw new Error('nothing was inserted')
    const wanted = await plain.everything.findUnique({ where: { id: row.id } })
    expect(await prisma.$audit.stateAt('Everything', row.id, new Date(Date.now() + 60_000))).toStrictEqual(
      wanted,
    )
  }
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
const quoted = <T>(values: fc.Arbitrary<T>) => values.map((value) => literal(String(value)))
const arrayOf = (items: fc.Arbitrary<string>, type: string) =>
  fc.array(items, { maxLength: 3 }).map((list) => `ARRAY[${list.join(', ')}]::${type}[]`)

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
const digits = fc.stringMatching(/^-?\d{1,12}(\.\d{1,8})?$/)
const two = (max: number, min = 0) => fc.integer({ min, max }).map((n) => String(n).padStart(2, '0'))
const time = fc
  .tuple(two(23), two(59), two(59), fc.integer({ min: 0, max: 999_999 }))
  .map(([h, m, s, us]) => `${h}:${m}:${s}.${String(us).padStart(6, '0')}`)
const date = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), two(12, 1), two(28, 1))
  .map(([y, m, d]) => `${String(y).padStart(4, '0')}-${m}-${d}`)
const timestamp = fc.tuple(date, time).map((parts) => parts.join(' '))
const json = fc.jsonValue().map((value) => JSON.stringify(value))
// what jsonb can't hold, and the log has as text
const oddJson = fc.constantFrom(
  '{"a": "\\u0000"}',
  '["\\ud800"]',
  '"x\\\\u0000"',
  '{"n": 1e5}',
  '"1e1000000"',
)
const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => `'\\x${Buffer.from(value).toString('hex')}'`)
const label = fc.constantFrom(`'low'`, `'high level'`)
const special = fc.constantFrom('NaN', 'Infinity', '-Infinity')

const columns: Record<string, fc.Arbitrary<string>> = {
  boolean: fc.constantFrom('true', 'false'),
  smallint: fc.integer({ min: -32768, max: 32767 }).map(String),
  integer: fc.integer().map((n) => `(${n})`),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => `'${n}'`),
  real: quoted(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), special)),
  double: quoted(
    fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
      special,
    ),
  ),
  decimal: quoted(digits),
  numeric: quoted(fc.oneof(digits, fc.constant('NaN'))),
  money: quoted(fc.stringMatching(/^-?\d{1,10}\.\d\d$/)),
  text: quoted(text),
  varchar: quoted(text.map((value) => Array.from(value).slice(0, 50).join(''))),
  char: quoted(fc.stringMatching(/^[a-z ]{0,5}$/)),
  citext: quoted(text),
  uuid: quoted(fc.uuid()),
  inet: quoted(
    fc.oneof(
      fc.ipV4(),
      fc.ipV4().map((ip) => `${ip.split('.').slice(0, 3).join('.')}.0/24`),
      fc.constant('::1'),
    ),
  ),
  bit: quoted(fc.stringMatching(/^[01]{3}$/)),
  xml: fc.constant(`'<a>é</a>'`),
  level: label,
  timestamp: quoted(timestamp),
  timestamp6: quoted(fc.oneof(timestamp, fc.constantFrom('infinity', '-infinity', '0044-03-15 12:00:00 BC'))),
  timestamptz: quoted(timestamp.map((value) => `${value}+02`)),
  date: quoted(fc.oneof(date, fc.constantFrom('infinity', '0044-03-15 BC'))),
  time: quoted(time),
  timetz: quoted(fc.tuple(time, fc.constantFrom('+00', '+02', '-03:30')).map((parts) => parts.join(''))),
  json: quoted(fc.oneof(json, oddJson)),
  jsonb: quoted(json.filter((value) => !/\\u(0000|d[89a-f])/i.test(value))),
  bytes,
  integers: arrayOf(
    fc.integer().map((n) => `(${n})`),
    'int',
  ),
  bigints: arrayOf(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => `'${n}'`),
    'bigint',
  ),
  decimals: arrayOf(quoted(digits), 'numeric'),
  texts: arrayOf(quoted(text), 'text'),
  levels: arrayOf(label, '"Level"'),
  timestamps: arrayOf(quoted(timestamp), 'timestamp(3)'),
  dates: arrayOf(quoted(date), 'date'),
  jsons: arrayOf(quoted(json.filter((value) => !/\\u(0000|d[89a-f])/i.test(value))), 'jsonb'),
  blobs: arrayOf(bytes, 'bytea'),
  uuids: arrayOf(quoted(fc.uuid()), 'uuid'),
}

describe('the values of a record as it was are the ones that Prisma gives', () => {
  it('for every column type and any value', { timeout: 90_000 }, async () => {
    const row = fc.record(columns, { requiredKeys: [] })
    await fc.assert(
      fc.asyncProperty(row, async (values) => {
        const names = Object.keys(values)
        fc.pre(names.length > 0)
        await expectPrismasValues(
          names.map((name) => `"${name}"`).join(', '),
          Object.values(values).join(', '),
        )
      }),
      { numRuns: 80, interruptAfterTimeLimit: 60_000 },
    )
  })

  it('for null in every column, where lists are empty', async () => {
    await expectPrismasValues('text', 'NULL')
  })
})
