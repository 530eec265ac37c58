import { type AuditEntry, type EntryRow, entryColumns, toEntry } from '../log/entry.ts'
import type { Log } from '../log/log.ts'
import { questionsTo } from '../log/readable.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { isoInstant } from '../values/iso-timestamp.ts'
import type { RevertibleChange } from './revert-entry.ts'

/** The position from which on this transaction writes its entries. */
export async function markStart(log: Log): Promise<string> {
  const [row] = await questionsTo(log).query<{ at: string }>(
    `SELECT ${isoInstant('pg_catalog.clock_timestamp()')} AS at`,
  )
  return row?.at ?? '-infinity'
}

/** The entries that undoing a change has written since then, those of the record itself first. */
export async function writtenSince(
  log: Log,
  start: string,
  { entry, model }: RevertibleChange,
): Promise<AuditEntry[]> {
  const rows = await questionsTo(log).query<EntryRow>(
    `SELECT ${entryColumns} FROM ${quoteTable(log.options.table)}
     WHERE "timestamp" >= $1::timestamptz AND transaction_id = (pg_catalog.pg_current_xact_id()::text)::int8
       AND details->>'revertOf' = $2
     ORDER BY resource_type <> $3, details ? 'cause', seq`,
    ...[start, entry.id, model.resource],
  )
  return rows.map(toEntry)
}
