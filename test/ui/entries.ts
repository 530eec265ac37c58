import type { Database } from '../support/database.ts'
import { type GivenEntry, insertEntries } from '../support/insert-entries.ts'

/** The columns of an entry that a test cares about; the rest is filled in. */
export interface Sample {
  at: string
  action?: string
  actor?: { id: string; type?: string; email?: string }
  resource?: { type?: string; id: string | null }
  outcome?: 'success' | 'failure'
  reason?: string
  /** An object, or the text of some JSON. */
  details?: GivenEntry['details']
  requestId?: string
  organizationId?: string
  ip?: string
  transactionId?: number
}

/** Writes entries with times of the test's own; gives their ids in the same order. */
export function insertSamples(database: Database, samples: readonly Sample[]): Promise<string[]> {
  return insertEntries(
    database,
    samples.map(({ at, action = 'order.update', actor, resource, transactionId, ...sample }, index) => ({
      id: idAt(at, index),
      timestamp: at,
      action,
      actor_id: actor?.id ?? 'ada',
      actor_type: actor?.type ?? 'user',
      actor_email: actor?.email ?? null,
      resource_type: resource?.type ?? action.replace(/\..*/, ''),
      resource_id: resource === undefined ? '1' : resource.id,
      outcome: sample.outcome ?? 'success',
      reason: sample.reason ?? null,
      details: sample.details ?? null,
      request_id: sample.requestId ?? null,
      organization_id: sample.organizationId ?? null,
      ip: sample.ip ?? null,
      transaction_id: String(transactionId ?? 1000 + index),
    })),
  )
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
