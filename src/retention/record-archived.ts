import type { MonthArchive } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { internalTable } from '../log/internal-schema.ts'
import type { KeptManifest } from '../parquet/manifest.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { PastMonth } from './months.ts'
import type { OwnedLog } from './owned-log.ts'

/**
 * Makes sure that no other process has archived a month since this one began to: only as long as that is so, what this one has
 * stored counts. A connection whose transaction had a lock, and that is lost, gives no answer.
 *
 * @throws AuditError
 */
export async function requireAlone(
  { table, connection }: OwnedLog,
  month: PastMonth,
  known: readonly KeptManifest[],
): Promise<void> {
  const [row] = await connection.query<{ count: number }>(
    `SELECT pg_catalog.jsonb_array_length(manifests) AS count FROM ${internalTable(table, 'archives')} WHERE log = $1::text AND upper = $2::text::pg_catalog.timestamptz`,
    ...[month.log, month.upper],
  )
  if ((row?.count ?? 0) !== known.length) throw archivedByAnother(month, table)
}

/**
 * Says in the database that what was stored of a month was read back: once, whoever else says so, as it adds to what was known.
 *
 * @param stored undefined where there was nothing to store
 * @throws AuditError `AUDIT_NOT_MAINTAINED` where something else is known meanwhile
 */
export async function recordArchived(
  { table, connection }: OwnedLog,
  month: PastMonth,
  { location }: MonthArchive,
  { entries, seqSum }: { readonly entries: number; readonly seqSum: bigint },
  known: readonly KeptManifest[],
  stored: KeptManifest | undefined,
): Promise<void> {
  const recorded = await connection.query(
    `INSERT INTO ${internalTable(table, 'archives')} AS a (log, lower, upper, entries, seq_sum, online_entries, online_seq_sum, location, manifests)
VALUES ($1::text, coalesce($2::text::pg_catalog.timestamptz, '-infinity'), $3::text::pg_catalog.timestamptz, $4::text::int8, $5::text::numeric,
  $4::text::int8, $5::text::numeric, $6::text, $7::text::jsonb)
ON CONFLICT (log, upper) DO UPDATE SET entries = a.entries + excluded.entries, seq_sum = a.seq_sum + excluded.seq_sum,
  online_entries = a.online_entries + excluded.online_entries, online_seq_sum = a.online_seq_sum + excluded.online_seq_sum,
  manifests = a.manifests || excluded.manifests, archived_at = pg_catalog.clock_timestamp()
WHERE pg_catalog.jsonb_array_length(a.manifests) = $8::text::int4
RETURNING 1 AS recorded`,
    ...[month.log, month.lower, month.upper, String(entries), String(seqSum), location],
    ...[JSON.stringify(stored ? [stored] : []), String(known.length)],
  )
  if (recorded.length === 0) throw archivedByAnother(month, table)
}

function archivedByAnother({ partition }: PastMonth, table: OwnedLog['table']): AuditError {
  return new AuditError(
    'AUDIT_NOT_MAINTAINED',
    `Another process has archived ${partition} of the audit log ${quoteTable(table)} at the same time, and what it has stored counts. Nothing left the log by this one. The next run goes on.`,
  )
}
