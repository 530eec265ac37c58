import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { Prisma, PrismaClient } from '../generated/client/client.ts'
import { createAudited, recorder } from './audited.ts'

// What Prisma's schema language can't say: a table of every other type.
const odd = `
  CREATE TYPE pair AS (x int, label text);
  CREATE TYPE mood AS ENUM ('so so', 'it''s "good", really');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE DOMAIN price AS numeric(12, 4);
  CREATE DOMAIN small_price AS price;
  CREATE DOMAIN moment AS timestamptz(6);
  CREATE DOMAIN blob AS bytea;
  CREATE DOMAIN padded AS char(4);
  CREATE DOMAIN document AS jsonb;
  CREATE DOMAIN big AS bigint;
  CREATE DOMAIN bigs AS bigint[];
  CREATE DOMAIN moods AS mood;
  CREATE TABLE odd (
    id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    "numeric" numeric, "interval" interval, span int4range, period tstzrange, spans int4multirange, pair pair, mood mood,
    positive positive, price price, small_price small_price, moment moment, blob blob, padded padded, document document,
    big big, bigs bigs, moods moods, oid oid, name name, tiny "char", point point, vector tsvector, mac macaddr,
    cidr cidr, bits varbit, path jsonpath, second timestamp(0), stamp timestamp, zoned timestamptz, zone time with time zone,
    booleans boolean[], smallints smallint[], reals real[], doubles double precision[], numerics numeric[], moneys money[],
    intervals interval[], times time[], timetzs timetz[], chars char(3)[], citexts citext[], inets inet[], xmls xml[],
    ranges int4range[], pairs pair[], moodlist mood[], positives positive[], prices price[], moments moment[], blobs blob[],
    bits_list bit(2)[], matrix int[], stamps timestamp[], zoneds timestamptz[], documents document[], names name[],
    fruit text, loud text GENERATED ALWAYS AS (upper(fruit)) STORED,
    "select" int, "we""ird. $1 %s 'Name'" text, "Ünïcode 🙂" text, "after" text, "n" text, "old" text, "new" text,
    a63characterslongnameisthelongestthatpostgresqlgivestoacolumnok text
  );`
const { db, prisma, recordedBy } = await createAudited({ setUp: odd })

const [{ version } = { version: 0 }] = await db.sql<{ version: number }>(
  `SELECT current_setting('server_version_num')::int / 10000 AS version`,
)

/**
 * Stores a value (an SQL expression) in a column by insert, by update and then takes it away by delete. Gives the JSON
 * in the log, which must be the same each time; the oracle agrees with every entry.
 */
async function inLog(table: string, column: string, expression: string): Promise<unknown> {
  return JSON.parse(await textInLog(table, column, expression))
}

/** The same, as the text of the JSON: every digit of a number. */
async function textInLog(table: string, column: string, expression: string): Promise<string> {
  const since = await db.lastSeq()
  const [name, target] = [`"${column.replaceAll('"', '""')}"`, `"${table}"`]
  await db.sql(`DELETE FROM ${target}`)
  await recordedBy(async () => {
    await prisma.$executeRawUnsafe(`INSERT INTO ${target} (${name}) VALUES (${expression})`)
    await prisma.$executeRawUnsafe(`DELETE FROM ${target}`)
    await prisma.$executeRawUnsafe(`INSERT INTO ${target} DEFAULT VALUES`)
    await prisma.$executeRawUnsafe(`UPDATE ${target} SET ${name} = ${expression}`)
    await prisma.$executeRawUnsafe(`DELETE FROM ${target}`)
  })
  const values = await db.sql<{ action: string; value: string }>(
    `SELECT action, (coalesce(details -> 'after', details -> 'before') -> $2)::text AS value
     FROM audit_logs WHERE seq > $1 ORDER BY seq`,
    [since, column],
  )
  const created = values[0]?.value as string
  const expected = ['create', 'delete', 'create', 'update', 'delete'].map((verb, index) => ({
    verb,
    value: index === 2 ? expect.anything() : created,
  }))
  expect(values.map(({ action, value }) => ({ verb: action.split('.')[1], value }))).toEqual(expected)
  return created
}

const everything = (column: string, expression: string) => inLog('Everything', column, expression)

/** A column type with SQL values and what the log says of each. */
function values(table: string, column: string, cases: [string, unknown][]): void {
  it.each(cases)(`${column} %s`, async (expression, expected) => {
    expect(await inLog(table, column, expression)).toEqual(expected)
  })
}

describe('as JSON is', () => {
  values('Everything', 'boolean', [
    ['true', true],
    ['false', false],
  ])
  values('Everything', 'smallint', [
    ['-32768', -32768],
    ['0', 0],
  ])
  values('Everything', 'integer', [['2147483647', 2147483647]])
  values('Everything', 'real', [
    ['0.1', 0.1],
    ['3.4028235e38', 3.4028235e38],
    ['1e-45', 1e-45],
  ])
  values('Everything', 'double', [
    ['0.1::float8 + 0.2', 0.30000000000000004],
    ['1.7976931348623157e308', 1.7976931348623157e308],
    ['5e-324', 5e-324],
    ['-1e21', -1e21],
  ])
})

describe('floats that JSON has no number for are strings', () => {
  for (const column of ['real', 'double']) {
    values('Everything', column, [
      [`'NaN'`, 'NaN'],
      [`'Infinity'`, 'Infinity'],
      [`'-Infinity'`, '-Infinity'],
    ])
  }
  values('odd', 'doubles', [
    [`'{1.5,NaN,Infinity,-Infinity,NULL}'`, [1.5, 'NaN', 'Infinity', '-Infinity', null]],
  ])
})

describe('numbers that JavaScript would round are strings, to the last digit', () => {
  values('Everything', 'bigint', [
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['0', '0'],
  ])
  values('Everything', 'decimal', [
    [
      `12345678901234567890123456789012345.012345678901234567890123456789`,
      '12345678901234567890123456789012345.012345678901234567890123456789',
    ],
    [`'NaN'`, 'NaN'],
  ])
  values('Everything', 'numeric', [
    ['1', '1.00000'],
    ['-0.1', '-0.10000'],
    ['123456789012345.12345', '123456789012345.12345'],
  ])
  values('odd', 'numeric', [
    ['1.10', '1.10'],
    ['1.1', '1.1'],
    ['0.000', '0.000'],
    ['1e30', '1000000000000000000000000000000'],
    [`'Infinity'`, 'Infinity'],
    [`'-Infinity'`, '-Infinity'],
  ])

  it('money, as the server writes it', async () => {
    const [row] = await db.sql<{ text: string }>(`SELECT (-1234.5)::numeric::money::text AS text`)
    expect(await everything('money', '(-1234.5)::numeric::money')).toBe(row?.text)
  })
})

describe('text, as stored', () => {
  values('Everything', 'text', [
    [`''`, ''],
    [`E'a "quoted" \\\\ back\\nslash\\t\\u0001é🙂'`, 'a "quoted" \\ back\nslash\t\u0001é🙂'],
    [`'null'`, 'null'],
    [`'{"a":1}'`, '{"a":1}'],
    [`repeat('x', 100000)`, 'x'.repeat(100_000)],
  ])
  values('Everything', 'varchar', [[`'ab  '`, 'ab  ']])
  values('Everything', 'char', [
    [`'ab'`, 'ab   '],
    [`''`, '     '],
  ])
  values('Everything', 'citext', [[`'AbC'`, 'AbC']])
  values('Everything', 'uuid', [
    [`'6F9619FF-8B86-D011-B42D-00C04FC964FF'`, '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
  ])
  values('Everything', 'inet', [
    [`'192.168.0.1'`, '192.168.0.1'],
    [`'192.168.0.1/24'`, '192.168.0.1/24'],
    [`'::1'`, '::1'],
  ])
  values('Everything', 'bit', [[`B'101'`, '101']])
  values('Everything', 'xml', [[`'<a b="1"><c/></a>'`, '<a b="1"><c/></a>']])
  values('odd', 'name', [[`'a name'`, 'a name']])
  values('odd', 'tiny', [[`'x'`, 'x']])
})

describe('enums, by the label stored in the database', () => {
  values('Everything', 'level', [[`'high level'`, 'high level']])
  values('odd', 'mood', [[`'it''s "good", really'`, 'it\'s "good", really']])
})

describe('timestamps, in UTC with Z, and no digit lost', () => {
  values('Everything', 'timestamp', [
    [`'2026-01-02 03:04:05'`, '2026-01-02T03:04:05.000Z'],
    [`'2026-01-02 03:04:05.1'`, '2026-01-02T03:04:05.100Z'],
    [`'2026-01-02 03:04:05.120'`, '2026-01-02T03:04:05.120Z'],
  ])
  values('Everything', 'timestamp6', [
    [`'2026-01-02 03:04:05'`, '2026-01-02T03:04:05.000Z'],
    [`'2026-01-02 03:04:05.123'`, '2026-01-02T03:04:05.123Z'],
    [`'2026-01-02 03:04:05.1234'`, '2026-01-02T03:04:05.123400Z'],
    [`'2026-01-02 03:04:05.000001'`, '2026-01-02T03:04:05.000001Z'],
    [`'1969-12-31 23:59:59.999999'`, '1969-12-31T23:59:59.999999Z'],
    [`'0001-01-01 00:00:00'`, '0001-01-01T00:00:00.000Z'],
    [`'infinity'`, 'infinity'],
    [`'-infinity'`, '-infinity'],
  ])
  values('Everything', 'timestamptz', [
    [`'2026-01-02 03:04:05.123456+02'`, '2026-01-02T01:04:05.123456Z'],
    [`'2026-01-02 03:04:05-08:30'`, '2026-01-02T11:34:05.000Z'],
    [`'infinity'`, 'infinity'],
    [`'-infinity'`, '-infinity'],
  ])
  values('odd', 'second', [[`'2026-01-02 03:04:05.6'`, '2026-01-02T03:04:06.000Z']])
  values('odd', 'stamp', [[`'2026-01-02 03:04:05.000010'`, '2026-01-02T03:04:05.000010Z']])
  values('odd', 'zoned', [[`'2026-01-02 00:00:00+14'`, '2026-01-01T10:00:00.000Z']])

  it('a year before Christ or after 9999 keeps its digits', async () => {
    expect(await inLog('odd', 'stamp', `'12026-01-02 03:04:05'`)).toMatch(/^\+?12026-01-02T03:04:05.000Z$/)
    expect(await inLog('odd', 'stamp', `'0044-03-15 12:00:00.5 BC'`)).toMatch(/44-03-15.12:00:00.5.*BC/)
  })
})

describe('dates and times', () => {
  values('Everything', 'date', [
    [`'2026-01-02'`, '2026-01-02'],
    [`'0001-12-31'`, '0001-12-31'],
    [`'infinity'`, 'infinity'],
    [`'-infinity'`, '-infinity'],
  ])
  values('Everything', 'time', [
    [`'03:04:05'`, '03:04:05'],
    [`'03:04:05.000001'`, '03:04:05.000001'],
    [`'24:00:00'`, '24:00:00'],
  ])
  values('Everything', 'timetz', [
    [`'03:04:05+02'`, '03:04:05+02'],
    [`'03:04:05.5-08:30'`, '03:04:05.5-08:30'],
  ])
  values('odd', 'interval', [
    [`'1 year 2 mons 3 days 04:05:06.000007'`, '1 year 2 mons 3 days 04:05:06.000007'],
    [`'-1 day +24:00:00'`, '-1 days +24:00:00'],
  ])
})

describe('json and jsonb, as they are', () => {
  for (const column of ['json', 'jsonb']) {
    values('Everything', column, [
      [
        `'{"a": [1, {"b": null}, "x", true], "ü": "\\u00e9", "": {}}'`,
        { a: [1, { b: null }, 'x', true], ü: 'é', '': {} },
      ],
      [`'[]'`, []],
      [`'"text"'`, 'text'],
      [`'3'`, 3],
      [`'false'`, false],
    ])
  }

  it('keep every digit of a number', async () => {
    const digits = '[12345678901234567890.123456789012345678901234567890, 1.10]'
    expect(await textInLog('Everything', 'jsonb', `'${digits}'`)).toBe(digits)
    expect(await textInLog('Everything', 'json', `'${digits}'`)).toBe(digits)
  })

  it('json null is not the same as no value', async () => {
    const [row] = await db.sql<{ id: string }>(`INSERT INTO "Everything" DEFAULT VALUES RETURNING id`)
    const where = { id: BigInt(row?.id ?? 0) }
    const entries = await recordedBy(async () => {
      await prisma.everything.update({ where, data: { jsonb: Prisma.JsonNull } })
      await prisma.everything.update({ where, data: { jsonb: Prisma.DbNull } })
    })
    expect(entries.map(({ changed }) => changed)).toEqual([['jsonb'], ['jsonb']])
    await db.sql(`DELETE FROM "Everything"`)
  })

  it('a json text with a NUL, which jsonb can’t hold, does not stop the write', async () => {
    const entries = await recordedWithoutOracle(() =>
      prisma.everything.create({ data: { id: 77n, json: { a: 'x\u0000y' } }, select: { id: true } }),
    )
    expect(entries.map(({ action, id }) => [action, id])).toEqual([['everything.create', '77']])
    await db.sql(`DELETE FROM "Everything"`)
  })
})

describe('json that jsonb can’t hold', () => {
  it.each([
    ['half a surrogate pair', String.raw`{"a": "\ud83d"}`],
    ['a NUL in a key', String.raw`{"a\u0000": 1}`],
    ['a number beyond numeric', `[1e200000]`],
  ])('%s does not stop the write', async (_, text) => {
    const entries = await recordedWithoutOracle(async () => {
      await prisma.$executeRawUnsafe(`INSERT INTO "Everything" (id, json) VALUES (78, $1::json)`, text)
      await prisma.$executeRawUnsafe(`UPDATE "Everything" SET json = '{}' WHERE id = 78`)
      await prisma.$executeRawUnsafe(`UPDATE "Everything" SET json = $1::json WHERE id = 78`, text)
      await prisma.$executeRawUnsafe(`DELETE FROM "Everything" WHERE id = 78`)
    })
    expect(entries.map(({ action }) => action)).toEqual([
      'everything.create',
      'everything.update',
      'everything.update',
      'everything.delete',
    ])
  })
})

describe('bytes, in base64 without line breaks', () => {
  values('Everything', 'bytes', [
    [`''::bytea`, ''],
    [`'\\x00ff10'::bytea`, 'AP8Q'],
    [`decode(repeat('deadbeef', 100), 'hex')`, Buffer.from('deadbeef'.repeat(100), 'hex').toString('base64')],
  ])
})

describe('arrays, of the same', () => {
  values('Everything', 'integers', [
    [`'{}'`, []],
    [`'{1,NULL,-3}'`, [1, null, -3]],
  ])
  values('Everything', 'bigints', [
    [`'{}'`, []],
    [`'{9223372036854775807,NULL}'`, ['9223372036854775807', null]],
  ])
  values('Everything', 'decimals', [
    [`'{1.5,NaN}'`, ['1.500000000000000000000000000000', 'NaN']],
    [`'{}'`, []],
  ])
  values('Everything', 'texts', [
    [`ARRAY['', 'NULL', NULL, 'a,"b"\\{c}', ' ']`, ['', 'NULL', null, 'a,"b"\\{c}', ' ']],
    [`'{}'`, []],
  ])
  values('Everything', 'levels', [
    [`'{low,"high level",NULL}'`, ['low', 'high level', null]],
    [`'{}'`, []],
  ])
  values('Everything', 'timestamps', [
    [`'{"2026-01-02 03:04:05.6",NULL,infinity}'`, ['2026-01-02T03:04:05.600Z', null, 'infinity']],
    [`'{}'`, []],
  ])
  values('Everything', 'dates', [
    [`'{2026-01-02,NULL}'`, ['2026-01-02', null]],
    [`'{}'`, []],
  ])
  values('Everything', 'jsons', [
    [`ARRAY['{"a":[1]}', 'null', NULL, '"x"']::jsonb[]`, [{ a: [1] }, null, null, 'x']],
    [`'{}'`, []],
  ])
  values('Everything', 'blobs', [
    [`ARRAY['\\x00ff'::bytea, NULL, ''::bytea]`, ['AP8=', null, '']],
    [`'{}'`, []],
  ])
  values('Everything', 'uuids', [
    [`'{6f9619ff-8b86-d011-b42d-00c04fc964ff}'`, ['6f9619ff-8b86-d011-b42d-00c04fc964ff']],
    [`'{}'`, []],
  ])
  values('odd', 'booleans', [[`'{t,f,NULL}'`, [true, false, null]]])
  values('odd', 'smallints', [[`'{1,-2}'`, [1, -2]]])
  values('odd', 'reals', [[`'{0.1,NaN}'`, [0.1, 'NaN']]])
  values('odd', 'numerics', [[`'{1.10,2,NULL}'`, ['1.10', '2', null]]])
  values('odd', 'intervals', [[`'{1 day,"1 mon 02:00:00"}'`, ['1 day', '1 mon 02:00:00']]])
  values('odd', 'times', [[`'{03:04:05,NULL}'`, ['03:04:05', null]]])
  values('odd', 'timetzs', [[`'{03:04:05+02}'`, ['03:04:05+02']]])
  values('odd', 'chars', [[`'{a,"b "}'`, ['a  ', 'b  ']]])
  values('odd', 'citexts', [[`'{Ab,"c,d"}'`, ['Ab', 'c,d']]])
  values('odd', 'inets', [[`'{10.0.0.1/8,::1}'`, ['10.0.0.1/8', '::1']]])
  values('odd', 'xmls', [[`ARRAY['<a/>', '<b>"</b>']::xml[]`, ['<a/>', '<b>"</b>']]])
  values('odd', 'ranges', [[`ARRAY['[1,3)', 'empty']::int4range[]`, ['[1,3)', 'empty']]])
  values('odd', 'pairs', [[`ARRAY[(1,'a b'), NULL]::pair[]`, ['(1,"a b")', null]]])
  values('odd', 'moodlist', [
    [`ARRAY['so so', 'it''s "good", really']::mood[]`, ['so so', 'it\'s "good", really']],
  ])
  values('odd', 'bits_list', [[`'{10,01}'`, ['10', '01']]])
  values('odd', 'stamps', [[`'{"2026-01-02 03:04:05.000006"}'`, ['2026-01-02T03:04:05.000006Z']]])
  values('odd', 'zoneds', [[`'{"2026-01-02 03:04:05+02"}'`, ['2026-01-02T01:04:05.000Z']]])
  values('odd', 'names', [[`'{a,"b c"}'`, ['a', 'b c']]])

  it('money in an array, as the server writes it', async () => {
    const [row] = await db.sql<{ text: string }>(`SELECT (1234.5::numeric::money)::text AS text`)
    expect(await inLog('odd', 'moneys', 'ARRAY[1234.5::numeric::money, NULL]')).toEqual([row?.text, null])
  })

  describe('of several dimensions', () => {
    values('odd', 'matrix', [
      [
        `'{{1,2},{3,NULL}}'`,
        [
          [1, 2],
          [3, null],
        ],
      ],
      [`'[0:1]={7,8}'`, [7, 8]],
    ])
    values('Everything', 'bigints', [
      [
        `'{{1,2},{3,4}}'`,
        [
          ['1', '2'],
          ['3', '4'],
        ],
      ],
    ])
    values('odd', 'stamps', [
      [
        `ARRAY[[timestamp '2026-01-01', timestamp '2026-01-02'], [timestamp '2026-01-03', NULL]]`,
        [
          ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'],
          ['2026-01-03T00:00:00.000Z', null],
        ],
      ],
    ])
    values('Everything', 'blobs', [
      [
        `ARRAY[['\\x00', '\\x01'], ['\\x02', '\\x03']]::bytea[]`,
        [
          ['AA==', 'AQ=='],
          ['Ag==', 'Aw=='],
        ],
      ],
    ])
  })
})

describe('domains, as the type that they stand for', () => {
  values('odd', 'positive', [['7', 7]])
  values('odd', 'price', [['1.5', '1.5000']])
  values('odd', 'small_price', [['1.5', '1.5000']])
  values('odd', 'moment', [[`'2026-01-02 03:04:05.000006+01'`, '2026-01-02T02:04:05.000006Z']])
  values('odd', 'blob', [[`'\\x00ff'`, 'AP8=']])
  values('odd', 'padded', [[`'ab'`, 'ab  ']])
  values('odd', 'document', [[`'{"a":1}'`, { a: 1 }]])
  values('odd', 'big', [['9223372036854775807', '9223372036854775807']])
  values('odd', 'bigs', [[`'{9223372036854775807}'`, ['9223372036854775807']]])
  values('odd', 'moods', [[`'so so'`, 'so so']])

  it('in arrays too', async () => {
    expect(await inLog('odd', 'positives', `'{1,2}'`)).toEqual([1, 2])
    expect(await inLog('odd', 'prices', `'{1.5}'`)).toEqual(['1.5000'])
    expect(await inLog('odd', 'moments', `'{"2026-01-02 03:04:05+01"}'`)).toEqual([
      '2026-01-02T02:04:05.000Z',
    ])
    expect(await inLog('odd', 'blobs', `ARRAY['\\x00ff'::bytea]`)).toEqual(['AP8='])
    expect(await inLog('odd', 'documents', `ARRAY['{"a":1}'::jsonb]`)).toEqual([{ a: 1 }])
  })
})

describe('anything else, by its text', () => {
  values('odd', 'span', [
    [`'[1,5]'`, '[1,6)'],
    [`'empty'`, 'empty'],
  ])
  values('odd', 'period', [[`'[2026-01-02 00:00+00,)'`, expect.stringMatching(/^\["2026-01-0[12] .+",\)$/)]])
  values('odd', 'spans', [[`'{[1,3),[5,7)}'`, '{[1,3),[5,7)}']])
  values('odd', 'pair', [
    [`ROW(1, 'a,b')`, '(1,"a,b")'],
    [`ROW(NULL, NULL)`, '(,)'],
    [`ROW(1, NULL)`, '(1,)'],
  ])
  values('odd', 'oid', [['4294967295', '4294967295']])
  values('odd', 'point', [[`'(1.5,-2)'`, '(1.5,-2)']])
  values('odd', 'vector', [[`'fat:2 cat:3'`, `'cat':3 'fat':2`]])
  values('odd', 'mac', [[`'08:00:2b:01:02:03'`, '08:00:2b:01:02:03']])
  values('odd', 'cidr', [[`'10/8'`, '10.0.0.0/8']])
  values('odd', 'bits', [[`B'10101'`, '10101']])
  values('odd', 'path', [[`'$.a[*]'`, '$."a"[*]']])
})

describe('columns', () => {
  for (const column of [
    ...['select', "we\"ird. $1 %s 'Name'", 'Ünïcode 🙂', 'after', 'n', 'old', 'new'],
    'a63characterslongnameisthelongestthatpostgresqlgivestoacolumnok',
  ]) {
    it(`called ${column} keep their name`, async () => {
      const value = column === 'select' ? 1 : '1'
      expect(await inLog('odd', column, `${column === 'select' ? '1' : `'1'`}`)).toBe(value)
    })
  }

  it('generated by the database are recorded, and listed as changed', async () => {
    const entries = await recordedBy(async () => {
      await prisma.$executeRaw`INSERT INTO odd (fruit) VALUES ('apple')`
      await prisma.$executeRaw`UPDATE odd SET fruit = 'pear'`
      await prisma.$executeRaw`UPDATE odd SET fruit = 'Pear'`
      await prisma.$executeRaw`DELETE FROM odd`
    })
    expect(entries.map(({ before, after, changed }) => [before?.loud, after?.loud, changed])).toEqual([
      [undefined, 'APPLE', undefined],
      ['APPLE', 'PEAR', ['fruit', 'loud']],
      ['PEAR', 'PEAR', ['fruit']],
      ['PEAR', undefined, undefined],
    ])
  })
})

describe.runIf(version >= 18)('virtual generated columns', () => {
  it('are recorded like stored ones', async () => {
    await db.sql(`
      CREATE TABLE virtual (id int PRIMARY KEY, a int, tag int REFERENCES "Tag" ON DELETE SET NULL,
        twice int GENERATED ALWAYS AS (a * 2), has_tag boolean GENERATED ALWAYS AS (tag IS NOT NULL));
      INSERT INTO "Tag" VALUES (1, 't')`)
    const client = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }))
    const since = await db.lastSeq()
    await client.$executeRaw`INSERT INTO virtual VALUES (1, 2, 1)`
    await client.$executeRaw`UPDATE virtual SET a = 3`
    await client.tag.delete({ where: { id: 1 } })
    await client.$executeRaw`DELETE FROM virtual`
    await client.$disconnect()
    const entries = (await db.entries(since)).filter(({ resource_type }) => resource_type === 'virtual')
    expect(entries.map(({ details }) => [details.before, details.after, details.changed])).toEqual([
      [undefined, { id: 1, a: 2, tag: 1, twice: 4, has_tag: true }, undefined],
      [
        { id: 1, a: 2, tag: 1, twice: 4, has_tag: true },
        { id: 1, a: 3, tag: 1, twice: 6, has_tag: true },
        ['a', 'twice'],
      ],
      [
        { id: 1, a: 3, tag: 1, twice: 6, has_tag: true },
        { id: 1, a: 3, tag: null, twice: 6, has_tag: false },
        ['tag', 'has_tag'],
      ],
      [{ id: 1, a: 3, tag: null, twice: 6, has_tag: false }, undefined, undefined],
    ])
  })
})

describe('nulls', () => {
  it('are null in every type', async () => {
    const entries = await recordedBy(async () => {
      await prisma.everything.create({ data: { id: 1n } })
      await prisma.everything.delete({ where: { id: 1n } })
      await prisma.$executeRaw`INSERT INTO odd DEFAULT VALUES`
      await prisma.$executeRaw`DELETE FROM odd`
    })
    for (const { before, after } of entries) {
      expect(Object.entries(before ?? after).filter(([, value]) => value !== null)).toEqual([
        ['id', expect.anything()],
      ])
    }
  })
})

describe('what counts as a change', () => {
  const changes = async (table: string, column: string, from: string, to: string) => {
    await db.sql(`INSERT INTO "${table}" ("${column}") VALUES (${from})`)
    const entries = await recordedBy(() =>
      prisma.$executeRawUnsafe(`UPDATE "${table}" SET "${column}" = ${to}`),
    )
    await db.sql(`DELETE FROM "${table}"`)
    return entries.map(({ changed }) => changed)
  }

  it.each([
    ['Everything', 'citext', `'a'`, `'A'`],
    ['odd', 'numeric', '1.0', '1.00'],
    ['odd', 'interval', `'1 day'`, `'24 hours'`],
    ['Everything', 'text', `'a'`, `'a '`],
    ['Everything', 'timestamp6', `'2026-01-02 03:04:05.000001'`, `'2026-01-02 03:04:05.000002'`],
    ['Everything', 'timetz', `'12:00+00'`, `'13:00+01'`],
    ['odd', 'pair', 'NULL', 'ROW(NULL, NULL)'],
    ['Everything', 'integers', `'{}'`, 'NULL'],
    ['Everything', 'integers', `'{1,2}'`, `'{2,1}'`],
    ['Everything', 'double', `'NaN'`, '0'],
    ['Everything', 'jsonb', `'{"a":1}'`, `'{"a":1.0}'`],
    ['odd', 'numerics', `'{1.0}'`, `'{1.00}'`],
  ])('%s.%s from %s to %s', async (table, column, from, to) => {
    expect(await changes(table, column, from, to)).toEqual([[column]])
  })

  it.each([
    ['Everything', 'char', `'a'`, `'a '`],
    ['Everything', 'double', `'NaN'`, `'NaN'`],
    ['Everything', 'jsonb', `'{"a":1,"b":2}'`, `'{"b":2, "a":1}'`],
    ['Everything', 'timestamptz', `'2026-01-02 00:00+00'`, `'2026-01-02 01:00+01'`],
    ['odd', 'span', `'[1,5]'`, `'[1,6)'`],
    ['Everything', 'blobs', `ARRAY['\\x00'::bytea]`, `ARRAY['\\x00'::bytea]`],
  ])('not %s.%s from %s to %s', async (table, column, from, to) => {
    expect(await changes(table, column, from, to)).toEqual([])
  })
})

describe('values through Prisma', () => {
  it('are recorded as they are stored', async () => {
    const [entry] = await recordedBy(() =>
      prisma.everything.create({
        data: {
          id: 2n,
          boolean: true,
          bigint: 2n ** 62n,
          decimal: new Prisma.Decimal('0.1'),
          numeric: '7.5',
          char: 'ab',
          level: 'HIGH',
          timestamp: new Date('2026-01-02T03:04:05.678Z'),
          timestamptz: new Date('2026-01-02T03:04:05.678Z'),
          date: new Date('2026-01-02'),
          time: new Date('1970-01-01T03:04:05.678Z'),
          json: { a: [1, null] },
          jsonb: [{ b: 'x' }],
          bytes: new Uint8Array([0, 255]),
          integers: [1, 2],
          bigints: [1n],
          decimals: ['1.5'],
          texts: ['a', ''],
          levels: ['LOW', 'HIGH'],
          timestamps: [new Date(0)],
          dates: [new Date('2026-01-02')],
          jsons: [{ a: 1 }, 'x'],
          blobs: [new Uint8Array([1])],
        },
      }),
    )
    expect(entry?.after).toMatchObject({
      id: '2',
      boolean: true,
      bigint: '4611686018427387904',
      decimal: '0.100000000000000000000000000000',
      numeric: '7.50000',
      char: 'ab   ',
      level: 'high level',
      timestamp: '2026-01-02T03:04:05.678Z',
      timestamptz: '2026-01-02T03:04:05.678Z',
      date: '2026-01-02',
      time: '03:04:05.678',
      json: { a: [1, null] },
      jsonb: [{ b: 'x' }],
      bytes: 'AP8=',
      integers: [1, 2],
      bigints: ['1'],
      decimals: ['1.500000000000000000000000000000'],
      texts: ['a', ''],
      levels: ['low', 'high level'],
      timestamps: ['1970-01-01T00:00:00.000Z'],
      dates: ['2026-01-02'],
      jsons: [{ a: 1 }, 'x'],
      blobs: ['AQ=='],
    })
    await db.sql(`DELETE FROM "Everything"`)
  })
})

describe('settings of the session', () => {
  const settings = '-c TimeZone=Asia/Tokyo -c DateStyle=German -c bytea_output=escape -c xmloption=content'
  const elsewhere = withAudit(
    new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url, options: settings }) }),
  )
  afterAll(() => elsewhere.$disconnect())

  it('do not show in the log', async () => {
    const [entry] = await recorder(db)(
      () => elsewhere.$executeRaw`
        INSERT INTO "Everything" (id, double, real, timestamp6, timestamptz, date, time, bytes, timestamps, dates, blobs)
        VALUES (3, 0.1::float8 + 0.2, 0.1, '2026-01-02T03:04:05.000006', '2026-01-02T03:04:05Z', '2026-01-02', '03:04',
          '\\x00ff'::bytea, ARRAY[timestamp '2026-01-02 03:04'], ARRAY[date '2026-01-02'], ARRAY['\\x00ff'::bytea])`,
    )
    expect(entry?.after).toMatchObject({
      double: 0.30000000000000004,
      real: 0.1,
      timestamp6: '2026-01-02T03:04:05.000006Z',
      timestamptz: '2026-01-02T03:04:05.000Z',
      date: '2026-01-02',
      time: '03:04:00',
      bytes: 'AP8=',
      timestamps: ['2026-01-02T03:04:00.000Z'],
      dates: ['2026-01-02'],
      blobs: ['AP8='],
    })
    await db.sql(`DELETE FROM "Everything"`)
  })
})

describe('keys', () => {
  const keyed = async (type: string, expression: string) => {
    await db.sql(`DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (key ${type} PRIMARY KEY)`)
    const since = await db.lastSeq()
    // a fresh client, since the table is new
    const client = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }))
    await client.$executeRawUnsafe(`INSERT INTO keyed VALUES (${expression})`)
    await client.$disconnect()
    const [entry] = await db.entries(since)
    return entry?.resource_id
  }

  it.each([
    ['boolean', 'true', 'true'],
    ['smallint', '-7', '-7'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['numeric', '1.10', '1.10'],
    ['double precision', '0.1::float8 + 0.2', '0.30000000000000004'],
    ['double precision', `'NaN'`, 'NaN'],
    ['uuid', `'6F9619FF-8B86-D011-B42D-00C04FC964FF'`, '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
    ['text', `'a "b"'`, 'a "b"'],
    ['char(4)', `'ab'`, 'ab  '],
    ['citext', `'Ab'`, 'Ab'],
    ['timestamp', `'2026-01-02 03:04:05'`, '2026-01-02T03:04:05.000Z'],
    ['timestamptz', `'2026-01-02 03:04:05.000001+02'`, '2026-01-02T01:04:05.000001Z'],
    ['date', `'2026-01-02'`, '2026-01-02'],
    ['bytea', `'\\x00ff'`, 'AP8='],
    ['mood', `'so so'`, 'so so'],
    ['price', '1.5', '1.5000'],
    ['moment', `'2026-01-02 03:04:05+01'`, '2026-01-02T02:04:05.000Z'],
    ['int4range', `'[1,5]'`, '[1,6)'],
    ['interval', `'1 day'`, '1 day'],
  ])('%s %s', async (type, expression, expected) => {
    expect(await keyed(type, expression)).toBe(expected)
  })

  it('longer than the log’s column does not stop the write', async () => {
    const key = 'https://example.org/'.padEnd(400, 'x')
    await prisma.status.create({ data: { code: key } })
    expect(await prisma.status.findUnique({ where: { code: key } })).toEqual({ code: key })
    await prisma.status.delete({ where: { code: key } })
  })
})

async function recordedWithoutOracle(work: () => PromiseLike<unknown>) {
  const since = await db.lastSeq()
  await work()
  return (await db.entries(since)).map(({ action, resource_id }) => ({ action, id: resource_id }))
}
