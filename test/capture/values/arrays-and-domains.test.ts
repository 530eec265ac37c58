import { describe, expect, it } from 'vitest'
import { createValues } from './values.ts'

const { db, inLog, values } = await createValues()

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
