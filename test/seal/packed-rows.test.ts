import { expect, it } from 'vitest'
import { exactColumns } from '../../src/reader/exact-row.ts'
import { canonicalForm } from '../../src/seal/canonical-form.ts'
import { packedRow, rowSeparator, unpackForms } from '../../src/seal/verify/packed-rows.ts'
import type { ExactRow } from '../../src/sink.ts'
import { createDatabase, type Database } from '../support/database.ts'

/** The canonical forms, by way of the packed rows. */
async function unpack({ sql }: Database) {
  const [found] = await sql<{ rows: string; count: number }>(
    `SELECT string_agg(r.line, ${rowSeparator}) AS rows, count(*)::int4 AS count
     FROM (SELECT ${packedRow} AS line FROM audit_logs AS l ORDER BY l.seq) AS r`,
  )
  if (!found?.rows) throw new Error('there is no row')
  return unpackForms(Buffer.from(found.rows), found.count)?.map((form) => form.toString())
}

it('gives the canonical form of each row, whatever is in it', async () => {
  const database = await createDatabase()
  const { sql } = database
  const texts = [
    '',
    ' ',
    '"',
    '\\',
    '\\"',
    '\b\f\n\r\t\v\u0001\u001e',
    '\u007f\u0080\u2028',
    '🦊é',
    'null',
    '0',
  ]
  for (const text of texts) {
    await sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, actor_email, resource_type, resource_id, reason, details, request_id, user_agent)
       VALUES (gen_random_uuid(), 'x', $1::text, 'user', NULL, $1::text, $1::text, NULL, $2::jsonb, nullif($1::text, ''), $1::text)`,
      [text, JSON.stringify({ [text]: text })],
    )
  }
  await sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, reason, ip, organization_id)
    VALUES (gen_random_uuid(), 'x', 'ada', 'user', 'x', repeat('"', 400000), '10.0.0.0/8', 'o')`)
  const rows = await sql<ExactRow & Record<string, unknown>>(
    `SELECT ${exactColumns} FROM audit_logs ORDER BY audit_logs.seq`,
  )
  expect(await unpack(database)).toEqual(rows.map((row) => canonicalForm(row)))
})

it.each([
  ["a column's separator in a text", `UPDATE audit_logs SET action = E'a\\x1fb' WHERE seq = 2`],
  ["a row's separator in a text", `UPDATE audit_logs SET action = E'a\\x1db' WHERE seq = 2`],
  [
    'a text that stands for two columns, where another one is missing',
    `ALTER TABLE audit_logs ALTER actor_type DROP NOT NULL;
     UPDATE audit_logs SET action = E'x\\x1fada', actor_id = 'user', actor_type = NULL WHERE seq = 2`,
  ],
])('takes nothing for another row: %s', async (_, statement) => {
  const database = await createDatabase()
  await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
    SELECT gen_random_uuid(), 'x', 'ada', 'user', 'x' FROM generate_series(1, 3)`)
  await database.sql(`BEGIN; ALTER TABLE audit_logs DISABLE TRIGGER USER; ${statement}; COMMIT`)
  expect(await unpack(database)).toBeUndefined()
})
