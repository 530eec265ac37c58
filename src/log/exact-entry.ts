import type { Actor } from '../context/context.ts'
import type { ExactRow } from '../sink.ts'
import { type AuditEntry, type EntryRow, toEntry } from './entry.ts'

/** A row as helpers return it. */
export function exactEntry(row: ExactRow): AuditEntry {
  return toEntry(exactEntryRow(row))
}

/** The same row as a statement on the table would give it. */
export function exactEntryRow(row: ExactRow): EntryRow {
  return {
    ...row,
    timestamp: new Date(row.timestamp),
    actor_type: row.actor_type as Actor['type'],
    outcome: row.outcome as AuditEntry['outcome'],
    details: row.details === null ? null : (JSON.parse(row.details) as Record<string, unknown>),
    ip: hostOf(row.ip),
    seq: BigInt(row.seq),
    transaction_id: BigInt(row.transaction_id),
  }
}

/** An address without the length of its prefix, as {@link readColumn} has it. */
export function hostOf(ip: string | null): string | null {
  return ip?.split('/')[0] ?? null
}
