import { internalTable } from '../../log/internal-schema.ts'
import { areReadable } from '../../log/internal-tables.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { SqlClient } from '../../postgres/sql-client.ts'
import type { SealVerification } from './verify-log.ts'

/** What `verify` has said of a log, as the database has it: who may write there may forge it, so it proves nothing. */
export interface StoredVerification {
  /** When it ended, ISO 8601, by the clock of the database. */
  readonly endedAt: string
  /** `stopped` found nothing until it was ended before its time. */
  readonly result: 'intact' | 'altered' | 'stopped'
  /** How many leaves the tree had up to which it looked. */
  readonly size: number
  /** Of these, those that were compared with their rows: with `--since` not all. */
  readonly entries: number
  readonly findings: number
  /** How many of the entries an anchor covered; null where none was asked. */
  readonly anchored: number | null
  /** The role of the database that ran it. */
  readonly role: string
  /** Entries that were sealed since. */
  readonly sealedSince: number
}

/** @param seconds how long it took until now */
export async function storeVerification(
  connection: SqlClient,
  table: TableName,
  { log, ok, isComplete, size, entries, found, anchored }: SealVerification,
  seconds: number,
): Promise<void> {
  const result: StoredVerification['result'] = !ok ? 'altered' : isComplete ? 'intact' : 'stopped'
  await connection.query(
    `INSERT INTO ${internalTable(table, 'verifications')} (log, began_at, ended_at, size, entries, findings, result, anchored)
SELECT $1::text, now - pg_catalog.make_interval(secs => $2::text::float8), now, $3::text::int8, $4::text::int8, $5::text::int8, $6::text, $7::text::int8
FROM pg_catalog.clock_timestamp() AS now`,
    ...[log, ...[seconds, size, entries, found].map(String)],
    ...[result, anchored === null ? null : String(anchored)],
  )
}

/** The newest one; null where none is stored, or the role may not read them. */
export async function readLastVerification(
  connection: SqlClient,
  table: TableName,
): Promise<StoredVerification | null> {
  if (!(await areReadable(connection, table, ['verifications', 'checkpoints']))) return null
  const [row] = await connection.query<{ verification: string }>(
    `SELECT pg_catalog.json_build_object(
  'endedAt', pg_catalog.to_char(v.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'result', v.result, 'size', v.size, 'entries', v.entries, 'findings', v.findings, 'anchored', v.anchored, 'role', v.role,
  'sealedSince', greatest(0, (SELECT c.size FROM ${internalTable(table, 'checkpoints')} AS c
    WHERE c.log = v.log ORDER BY c.number DESC LIMIT 1) - v.size)
)::text AS verification
FROM ${internalTable(table, 'verifications')} AS v
WHERE v.log = (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = $1::text::regclass)
ORDER BY v.number DESC LIMIT 1`,
    quoteTable(table),
  )
  return row ? (JSON.parse(row.verification) as StoredVerification) : null
}
