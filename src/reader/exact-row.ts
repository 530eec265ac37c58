import type { Actor } from '../context/context.ts'
import { columnNames, type LogColumn } from '../log/columns.ts'
import { type AuditEntry, toEntry } from '../log/entry.ts'
import { quoteIdentifier } from '../postgres/identifiers.ts'
import type { ExactRow } from '../sink.ts'

/** What to select for an {@link ExactRow}. */
export const exactColumns = columnNames
  .map((name) => `${columnText(name)} AS ${quoteIdentifier(name)}`)
  .join(', ')

function columnText(name: LogColumn): string {
  if (name === 'timestamp') {
    return `pg_catalog.to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
  }
  // an address has its prefix length only where it is not that of one host
  if (name === 'ip') return 'pg_catalog.abbrev(ip)'
  return `${quoteIdentifier(name)}::pg_catalog.text`
}

/** The same row as helpers return it. */
export function exactEntry(row: ExactRow): AuditEntry {
  return toEntry({
    ...row,
    timestamp: new Date(row.timestamp),
    actor_type: row.actor_type as Actor['type'],
    outcome: row.outcome as AuditEntry['outcome'],
    details: row.details === null ? null : (JSON.parse(row.details) as Record<string, unknown>),
    ip: row.ip?.split('/')[0] ?? null,
    seq: BigInt(row.seq),
    transaction_id: BigInt(row.transaction_id),
  })
}
