import type { Database } from '../support/database.ts'

/** The columns of an entry that a test cares about; the rest is filled in. */
export interface TestEntry {
  at: string
  action?: string
  actor?: { id: string; type?: string; email?: string }
  resource?: { type?: string; id: string | null }
  outcome?: 'success' | 'failure'
  reason?: string
  details?: unknown
  requestId?: string
  organizationId?: string
  ip?: string
  transactionId?: number
}

/** Writes entries with times of the test's own; gives their ids in the same order. */
export async function insertEntries(database: Database, entries: readonly TestEntry[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, entry] of entries.entries()) {
    const action = entry.action ?? 'order.update'
    const [row] = await database.sql<{ id: string }>(
      `INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, actor_email, resource_type, resource_id,
         outcome, reason, details, request_id, organization_id, ip, transaction_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id`,
      [
        idAt(entry.at, index),
        entry.at,
        action,
        entry.actor?.id ?? 'ada',
        entry.actor?.type ?? 'user',
        entry.actor?.email ?? null,
        entry.resource?.type ?? action.split('.')[0],
        entry.resource === undefined ? '1' : entry.resource.id,
        entry.outcome ?? 'success',
        entry.reason ?? null,
        entry.details === undefined ? null : JSON.stringify(entry.details),
        entry.requestId ?? null,
        entry.organizationId ?? null,
        entry.ip ?? null,
        entry.transactionId ?? 1000 + index,
      ],
    )
    ids.push(row?.id as string)
  }
  return ids
}

/** A UUIDv7 of a moment. */
function idAt(timestamp: string, index: number): string {
  const hex = Date.parse(timestamp).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${index.toString(16).padStart(12, '0')}`
}

/** `2026-03-01T10:00:00Z` and so many minutes. */
export function minute(minutes: number): string {
  return new Date(Date.parse('2026-03-01T10:00:00Z') + minutes * 60_000).toISOString()
}
