import { describe, expect, it } from 'vitest'
import { Prisma } from '../../generated/client/client.ts'
import { createValues } from './values.ts'

const { db, prisma, recordedBy, inLog, textInLog, everything, values } = await createValues()

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

/** What happened to which row, of writes that the oracle could not follow. */
async function recordedWithoutOracle(work: () => PromiseLike<unknown>) {
  return (await db.entriesOf(work)).map(({ action, resource_id }) => ({ action, id: resource_id }))
}
