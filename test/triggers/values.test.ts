import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { oddTable } from '../capture/values/values.ts'
import { createClient } from '../support/database.ts'
import { createWatched } from './watched.ts'

const { db, connect, watch, recordedBy, recordedOf, version } = await createWatched(`
  ${oddTable};
  CREATE TABLE "Everything_watched" (LIKE "Everything" INCLUDING ALL);
  CREATE TABLE odd_watched (LIKE odd INCLUDING ALL);
`)
await watch('"Everything_watched"', 'everything')
await watch('odd_watched', 'odd')
const prisma = withAudit(createClient(db.url), { failures: false })

/** A session whose settings change the text of values, and whose search_path has other functions and operators first. */
const hostile = await connect()
await hostile.query(`
  CREATE SCHEMA evil;
  CREATE FUNCTION evil.to_char(timestamp, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'evil' $$;
  CREATE FUNCTION evil.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT '"evil"'::jsonb $$;
  CREATE FUNCTION evil.encode(bytea, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'evil' $$;
  CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
  CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
  CREATE FUNCTION evil.pg_trigger_depth() RETURNS int LANGUAGE sql AS $$ SELECT 7 $$;
  CREATE FUNCTION evil.statement_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2000-01-01'::timestamptz $$;
  CREATE FUNCTION evil.no(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT false $$;
  CREATE FUNCTION evil.word(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'evil' $$;
  CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.no);
  CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.no);
  CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.word);
  CREATE TEMP TABLE audit_logs (id int);
  SET search_path = evil, pg_temp, pg_catalog, public;
  SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = 0;
  SET bytea_output = 'escape'; SET xmloption = 'content'; SET xmlbinary = 'hex'; SET standard_conforming_strings = off;
  SET escape_string_warning = off; SET array_nulls = off; SET transform_null_equals = on; SET quote_all_identifiers = on;
  SET default_transaction_isolation = 'repeatable read'; SET statement_timeout = '1min'; SET enable_indexscan = off`)

type Sql = fc.Arbitrary<string>
const literal = (text: string) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
const unicode = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => !/[\0\\]|\p{Surrogate}/u.test(text))
const oneOf = (...texts: string[]): Sql => fc.constantFrom(...texts)
const int = (bits: number): Sql =>
  fc.bigInt(-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n).map(String)
const float = (single: boolean): Sql =>
  fc.oneof(
    oneOf('NaN', 'Infinity', '-Infinity', '-0', '0.1'),
    (single ? fc.float() : fc.double()).map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  )
const digits: Sql = fc
  .tuple(fc.bigInt(-(10n ** 14n), 10n ** 14n), fc.stringMatching(/^\d{0,4}$/))
  .map(([whole, rest]) => (rest ? `${whole}.${rest}` : String(whole)))
const moment = (from: string, to: string): Sql =>
  fc
    .tuple(
      fc.date({ min: new Date(from), max: new Date(to), noInvalidDate: true }),
      fc.stringMatching(/^\d{0,3}$/),
    )
    .map(([date, micros]) =>
      `${date.toISOString().slice(0, 19).replace('T', ' ')}.${date.getMilliseconds()}${micros}`.replace(
        /\.$/,
        '',
      ),
    )
const stamp = fc.oneof(
  { weight: 5, arbitrary: moment('0001-01-02', '9999-12-30') },
  oneOf('infinity', '-infinity', '0044-03-15 12:00:00.5 BC', '12026-01-02 03:04:05.678901'),
)
const zoned = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(moment('0002-01-02', '9998-12-30'), oneOf('+00', '-08:30', '+14'))
      .map((parts) => parts.join('')),
  },
  oneOf('infinity', '-infinity', '0044-03-15 12:00:00.5+00 BC'),
)
const date = fc.oneof(
  moment('0001-01-02', '9999-12-30').map((text) => text.slice(0, 10)),
  oneOf('infinity', '-infinity', '0044-03-15 BC'),
)
const time: Sql = fc
  .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.stringMatching(/^\d{1,6}$/))
  .map(([h, m, s, f]) => `${h}:${m}:${s}.${f}`)
const interval: Sql = fc
  .tuple(
    fc.integer({ min: -50, max: 50 }),
    fc.integer({ min: -50, max: 50 }),
    fc.integer({ min: -99, max: 99 }),
    fc.nat(999_999),
  )
  .map(([y, m, d, s]) => `${y} years ${m} mons ${d} days ${s / 1000} seconds`)
const json: Sql = fc
  .oneof(fc.json({ stringUnit: 'grapheme' }), oneOf('null', '{"b":1,"a":[1.10, {"x": null}]}'))
  .filter((text) => !/\\u0000|\\ud[89a-f]/i.test(text))
const bytes = fc.uint8Array({ maxLength: 80 }).map((value) => Buffer.from(value).toString('hex'))

/** Texts that each type reads, by the name that format_type gives it. */
const texts: Record<string, Sql> = {
  boolean: oneOf('t', 'f'),
  smallint: int(16),
  integer: int(32),
  bigint: int(64),
  real: float(true),
  'double precision': float(false),
  numeric: digits,
  money: digits,
  text: unicode,
  'character varying': unicode,
  character: unicode.map((text) => Array.from(text).slice(0, 1).join('')),
  citext: unicode,
  name: unicode.map((text) => Array.from(text).slice(0, 9).join('')),
  '"char"': oneOf('x', ''),
  uuid: fc.uuid(),
  inet: oneOf('10.0.0.1', '10.0.0.1/8', '::1', 'fe80::/10'),
  cidr: oneOf('10.0.0.0/8', '::/0'),
  macaddr: oneOf('08:00:2b:01:02:03'),
  xml: oneOf('<a b="1"/>', 'some <b>text</b>', '<a>ü &amp; ö</a>'),
  '"Level"': oneOf('low', 'high level'),
  mood: oneOf('so so', `it's "good", really`),
  'timestamp without time zone': stamp,
  'timestamp with time zone': zoned,
  date,
  'time without time zone': time,
  'time with time zone': fc.tuple(time, oneOf('+00', '-08:30')).map((parts) => parts.join('')),
  interval,
  json,
  jsonb: json,
  bytea: bytes.map((hex) => `\\x${hex}`),
  int4range: oneOf('[1,5]', 'empty', '(,3)'),
  int4multirange: oneOf('{}', '{[1,3),[5,7)}'),
  tstzrange: fc
    .tuple(moment('2001-01-02', '2001-12-30'), moment('2002-01-02', '2002-12-30'))
    .map(([from, to]) => `["${from}+00","${to}+00")`),
  pair: oneOf('(1,"a b")', '(,)', '(1,)'),
  oid: oneOf('0', '4294967295'),
  point: fc.tuple(float(false), float(false)).map(([x, y]) => `(${x},${y})`),
  tsvector: oneOf(`fat:2 cat:3`),
  jsonpath: oneOf('$.a[*] ? (@ > 1.5)'),
  'bit varying': oneOf('10101', ''),
  'bit(3)': oneOf('101'),
  'bit(2)': oneOf('10'),
}
const domains: Record<string, string> = {
  positive: 'integer',
  price: 'numeric',
  small_price: 'numeric',
  moment: 'timestamp with time zone',
  blob: 'bytea',
  padded: 'character',
  document: 'jsonb',
  big: 'bigint',
  bigs: 'bigint[]',
  moods: 'mood',
}
const positive = fc.integer({ min: 1 }).map(String)
const small = fc.integer({ min: -9999, max: 9999 }).map((n) => (n / 100).toFixed(2))

/** A value of a type in SQL, or NULL. */
function anyValue(type: string): Sql {
  const base = domains[type] ?? type
  if (type === 'positive') return positive.map((text) => `${literal(text)}::positive`)
  if (base.endsWith('[]')) {
    const element = base.slice(0, -2)
    const items = fc.array(anyValue(element), { maxLength: 3 }).map((values) => `ARRAY[${values}]::${type}`)
    const rows = fc
      .tuple(anyValue(element), anyValue(element))
      .map(([a, b]) => `ARRAY[ARRAY[${a}], ARRAY[${b}]]::${type}`)
    const cubes = anyValue(element).map((a) => `ARRAY[ARRAY[ARRAY[${a}]]]::${type}`)
    return fc.oneof({ weight: 4, arbitrary: items }, rows, cubes, fc.constant('NULL'))
  }
  const text = ['price', 'small_price'].includes(type) ? small : texts[base]
  if (!text) throw new Error(`no values of ${type}`)
  const value =
    base === 'bytea'
      ? bytes.map((hex) => `decode('${hex}', 'hex')::${type}`)
      : text.map((given) => `${literal(given)}::${type}`)
  return fc.oneof({ weight: 6, arbitrary: value }, fc.constant(`NULL::${type}`))
}

interface Column extends Record<string, unknown> {
  name: string
  type: string
}

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

describe.each([
  ['Everything', 'Everything_watched'],
  ['odd', 'odd_watched'],
])('every type of %s', (plain, watched) => {
  it('is recorded byte for byte as the statement of an audited client records it, whatever the session’s settings are', {
    timeout: 120_000,
  }, async () => {
    const columns = await db.sql<Column>(
      `SELECT attname AS name, format_type(atttypid, CASE WHEN atttypid IN ('bit'::regtype, 'bit[]'::regtype) THEN atttypmod END) AS type FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 AND attgenerated = '' AND attname <> 'id' ORDER BY attnum`,
      [quote(plain)],
    )
    const row = fc.tuple(...columns.map(({ type }) => anyValue(type)))
    const insert = (table: string, id: number, values: string[]) =>
      `INSERT INTO public.${quote(table)} (id, ${columns.map(({ name }) => quote(name))}) OVERRIDING SYSTEM VALUE VALUES (${id}, ${values})`
    const update = (table: string, id: number, values: string[]) =>
      `UPDATE public.${quote(table)} SET ${columns.map(({ name }, index) => `${quote(name)} = ${values[index]}`)} WHERE id = ${id}`
    const remove = (table: string, id: number) => `DELETE FROM public.${quote(table)} WHERE id = ${id}`
    const entries = (since: bigint, isPlain: boolean) =>
      db.sql(
        `SELECT action, resource_id, (details - 'source' - 'operation')::text AS details FROM public.audit_logs
         WHERE seq > $1 AND details ? 'source' <> $2 ORDER BY seq`,
        [since, isPlain],
      )
    let id = 0
    await fc.assert(
      fc.asyncProperty(row, row, async (first, second) => {
        id++
        const mixed = first.map((value, index) => (index % 3 === 0 ? value : second[index])) as string[]
        const since = await db.lastSeq()
        for (const write of [
          (table: string) => insert(table, id, first),
          (table: string) => update(table, id, mixed),
          (table: string) => update(table, id, mixed),
          (table: string) => remove(table, id),
        ]) {
          await prisma.$executeRawUnsafe(write(plain))
          await hostile.query(write(watched))
        }
        const seen = await entries(since, false)
        expect(seen.length).toBeGreaterThan(1)
        expect(seen).toEqual(await entries(since, true))
      }),
      { numRuns: 25, endOnFailure: true },
    )
  })
})

describe('what counts as a change', () => {
  const changes = async (type: string, from: string, to: string) => {
    await db.sql(`DROP TABLE IF EXISTS one; CREATE TABLE one (id int PRIMARY KEY, value ${type})`)
    await watch('one', 'one')
    await db.sql(`INSERT INTO one VALUES (1, ${from})`)
    const entries = await recordedOf(`UPDATE one SET value = ${to}`)
    return entries.map(({ before, after }) => [before.value, after.value])
  }

  it.each([
    ['numeric', '1.0', '1.00', [['1.0', '1.00']]],
    ['citext', `'a'`, `'A'`, [['a', 'A']]],
    ['json', `'{"a":1}'`, `'{"a": 1}'`, [[{ a: 1 }, { a: 1 }]]],
    ['json', `'{"a":1}'`, `'{"a":1}'`, []],
    ['point', `'(1,2)'`, `'(1,2)'`, []],
    ['point', `'(1,2)'`, `'(1,2.5)'`, [['(1,2)', '(1,2.5)']]],
    ['interval', `'1 day'`, `'24 hours'`, [['1 day', '24:00:00']]],
    ['text', 'NULL', `''`, [[null, '']]],
    ['numeric[]', `'{1.0}'`, `'{1.00}'`, [[['1.0'], ['1.00']]]],
    ['jsonb', `'{"a":1,"b":2}'`, `'{"b":2, "a":1}'`, []],
    ['timestamptz', `'2026-01-02 00:00+00'`, `'2026-01-02 01:00+01'`, []],
  ])('%s from %s to %s', async (type, from, to, expected) => {
    expect(await changes(type, from, to)).toEqual(expected)
  })

  it('in a type without an equality operator in pg_catalog: hstore, ltree, cube, and types of the application', async () => {
    const available = await db.sql<{ name: string }>(
      `SELECT name FROM pg_available_extensions WHERE name IN ('hstore', 'ltree', 'cube')`,
    )
    for (const { name } of available) await db.sql(`CREATE EXTENSION ${name}`)
    await db.sql(
      `CREATE TYPE twin AS (a text, b numeric); CREATE DOMAIN short AS text COLLATE "C" CHECK (length(VALUE) < 9); CREATE TYPE span AS RANGE (subtype = float8)`,
    )
    const cases: [type: string, one: string, other: string, shown: [unknown, unknown]][] = [
      ['hstore', `'a=>1'`, `'a=>2, b=>NULL'`, ['"a"=>"1"', '"a"=>"2", "b"=>NULL']],
      ['ltree', `'a.b'`, `'a.c'`, ['a.b', 'a.c']],
      ['cube', `'(1,2)'`, `'(1,3)'`, ['(1, 2)', '(1, 3)']],
      ['twin', `ROW('x', 1.0)`, `ROW('x', 1.00)`, ['(x,1.0)', '(x,1.00)']],
      ['short', `'x'`, `'y'`, ['x', 'y']],
      ['span', `'[0.1,0.2]'`, `'[0.1,0.30000000000000004]'`, ['[0.1,0.2]', '[0.1,0.30000000000000004]']],
      ['twin[]', `ARRAY[ROW('x', 1.0)::twin]`, `ARRAY[ROW('x', 1.00)::twin]`, [['(x,1.0)'], ['(x,1.00)']]],
    ]
    for (const [type, one, other, shown] of cases) {
      if (['hstore', 'ltree', 'cube'].includes(type) && !available.some(({ name }) => name === type)) continue
      expect(await changes(type, one, other), type).toEqual([shown])
      expect(await changes(type, one, one), type).toEqual([])
    }
    expect(available.map(({ name }) => name).sort()).toEqual(['cube', 'hstore', 'ltree'])
  })
})

describe('generated columns', () => {
  it('stored ones', async () => {
    await db.sql(
      'CREATE TABLE stored (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED)',
    )
    await watch('stored', 'stored')
    expect(
      await recordedOf('INSERT INTO stored VALUES (1, 2); UPDATE stored SET a = 3; DELETE FROM stored'),
    ).toEqual([
      { action: 'stored.create', id: '1', after: { id: 1, a: 2, twice: 4 } },
      {
        action: 'stored.update',
        id: '1',
        before: { id: 1, a: 2, twice: 4 },
        after: { id: 1, a: 3, twice: 6 },
        changed: ['a', 'twice'],
      },
      { action: 'stored.delete', id: '1', before: { id: 1, a: 3, twice: 6 } },
    ])
  })

  it.runIf(version >= 18)('virtual ones, whatever the columns are called that they are made of', async () => {
    await db.sql(`
      CREATE TABLE virtual (id int PRIMARY KEY, up int REFERENCES virtual ON DELETE SET NULL, up2 int REFERENCES virtual ON DELETE SET NULL,
        context int, operation text, after float8, sum int GENERATED ALWAYS AS (context + coalesce(up, 0)) VIRTUAL,
        words text GENERATED ALWAYS AS (operation || '!') VIRTUAL, token text GENERATED ALWAYS AS (operation || '?') VIRTUAL)`)
    await watch('virtual', 'virtual')
    const row = (id: number, up: number | null, context: number) => ({
      id,
      up,
      up2: up,
      context,
      operation: 'o',
      after: 0.1,
      sum: context + (up ?? 0),
      words: 'o!',
      token: '[redacted]',
    })
    const session = await connect()
    await session.query('SET extra_float_digits = 0')
    expect(
      await recordedBy(() =>
        session.query(
          `INSERT INTO virtual VALUES (1, NULL, NULL, 5, 'o', 0.1), (2, 1, 1, 7, 'o', 0.1); UPDATE virtual SET context = 6 WHERE id = 1; DELETE FROM virtual WHERE id = 1`,
        ),
      ),
    ).toEqual([
      { action: 'virtual.create', id: '1', after: row(1, null, 5) },
      { action: 'virtual.create', id: '2', after: row(2, 1, 7) },
      {
        action: 'virtual.update',
        id: '1',
        before: row(1, null, 5),
        after: row(1, null, 6),
        changed: ['context', 'sum'],
      },
      { action: 'virtual.delete', id: '1', before: row(1, null, 6) },
      {
        action: 'virtual.update',
        id: '2',
        before: row(2, 1, 7),
        after: row(2, null, 7),
        changed: ['up', 'up2', 'sum'],
        cause: 'virtual.delete',
      },
    ])
  })
})
