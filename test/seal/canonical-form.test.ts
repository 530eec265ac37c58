import { expect, it } from 'vitest'
import type { ExactRow } from '../../src/index.ts'
import { exactColumns } from '../../src/reader/exact-row.ts'
import { canonicalForm } from '../../src/seal/canonical-form.ts'
import { logOf, untilReadable } from '../reader/readers.ts'
import { createDatabase } from '../support/database.ts'
import { leavesOf, newKey, sealAll, sha256, signerOf } from './seals.ts'

const database = await createDatabase()
const { sql } = database
const log = logOf(database)

const hostile = [
  ...[
    '',
    ' ',
    '"',
    '\\',
    '\\"',
    '/',
    '</script>',
    "'",
    'null',
    '\u007f',
    '\u0080',
    '\u2028\u2029',
    '\ufeff',
    '\uffff',
  ],
  ...['é', 'e\u0301', '🦊', '\u{10ffff}', '\b\f\n\r\t\v', 'a\u0000b'.replace('\u0000', '\u0001')],
  Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code))
    .slice(1)
    .join(''),
]
const details = [
  ...[null, '{}', '[]', 'null', '"text"', '1.10', '{"n": 12345678901234567890.1234567890}', '{"n": 1e3}'],
  ...[
    '{"b": 1, "a": 2, "aa": 3}',
    '{"a": "\\u0001 \\" \\\\ / \\ud83e\\udd8a \\u2028"}',
    '{"": [[], {}, -0, 0.0]}',
  ],
]

it('is the same text in PostgreSQL and in JavaScript, for any value', async () => {
  const insert = `INSERT INTO audit_logs (id, timestamp, action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome,
      reason, details, request_id, ip, user_agent, organization_id)
    VALUES (gen_random_uuid(), coalesce($4::timestamptz, clock_timestamp()), left($1, 100), $1, 'user', $1, $1, $1, 'success', $1, $2::jsonb, $1, $3::inet, $1, $1)`
  for (const text of hostile) await sql(insert, [text, JSON.stringify({ [text]: text }), '10.0.0.1', null])
  for (const one of details) await sql(insert, ['x', one, '2001:db8::1', null])
  for (const ip of ['10.0.0.0/8', '::ffff:10.0.0.1', '2001:db8::/32', null])
    await sql(insert, ['x', null, ip, null])
  for (const time of [
    '2026-01-02 03:04:05.1Z',
    '0001-01-01Z',
    '0044-03-15 BC',
    '9999-12-31Z',
    'infinity',
    '-infinity',
    '294276-01-01Z',
  ]) {
    await sql(insert, ['x', null, null, time])
  }
  await untilReadable(database)
  await sealAll(log, await signerOf(newKey()), 7)
  const rows = await sql<ExactRow & Record<string, unknown>>(
    `SELECT ${exactColumns} FROM audit_logs ORDER BY audit_logs.seq`,
  )
  const leaves = await leavesOf(database, log)
  expect(leaves).toHaveLength(rows.length)
  for (const [index, row] of rows.entries()) {
    const { leaf, salt } = leaves[index] as (typeof leaves)[number]
    const wanted = [
      Buffer.from([1]),
      Buffer.from(BigInt(row.seq).toString(16).padStart(16, '0'), 'hex'),
      Buffer.from(row.id.replaceAll('-', ''), 'hex'),
      sha256(salt, canonicalForm(row)),
    ]
    expect(leaf.toString('hex'), canonicalForm(row)).toBe(Buffer.concat(wanted).toString('hex'))
  }
  const salts = new Set(leaves.map(({ salt }) => salt.toString('hex')))
  expect(salts.size).toBe(rows.length)
})

it('differs where values differ that are printed alike', async () => {
  const texts = await sql<{ timestamp: string }>(
    `SELECT ${exactColumns} FROM (SELECT (jsonb_populate_record(NULL::audit_logs, jsonb_build_object('timestamp', t))).*
     FROM unnest(ARRAY['2026-01-01Z', '2026-01-01 BC', 'infinity', '-infinity']) AS t) AS audit_logs`,
  )
  expect(texts.map(({ timestamp }) => timestamp)).toEqual([
    ...['2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00 BC', 'infinity', '-infinity'],
  ])
})

it('is a JSON array of the columns', () => {
  const row = {
    ...{
      id: '01890000-0000-7000-8000-000000000001',
      timestamp: '2026-01-02T03:04:05.123456Z',
      action: 'user.login',
    },
    ...{ actor_id: 'ada', actor_type: 'user', actor_email: null, resource_type: 'user', resource_id: '1' },
    ...{
      outcome: 'success',
      reason: null,
      details: '{"n": 1.10}',
      request_id: null,
      ip: null,
      user_agent: 'a "b"',
    },
    ...{ organization_id: null, seq: '12', transaction_id: '900' },
  }
  expect(canonicalForm(row)).toBe(
    '["01890000-0000-7000-8000-000000000001","2026-01-02T03:04:05.123456Z","user.login","ada","user",null,"user","1","success",null,"{\\"n\\": 1.10}",null,null,"a \\"b\\"",null,"12","900"]',
  )
})
