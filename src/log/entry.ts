import type { Actor } from '../context/context.ts'
import type { UnwrittenEntry } from '../errors.ts'
import { quoteIdentifier } from '../postgres/identifiers.ts'
import { columnNames, type LogColumn, readColumn, type WrittenColumn } from './columns.ts'
import { differingFields } from './differing-fields.ts'

/** An entry of the log, as helpers return it. */
export interface AuditEntry {
  /** UUIDv7. */
  id: string
  /** Wall-clock time of the write, in milliseconds like every JavaScript Date; the table has microseconds. */
  timestamp: Date
  /** `resource.verb`: `orderItem.update`. */
  action: string
  actor: Actor
  resource: { type: string; id: string | null }
  outcome: 'success' | 'failure'
  reason: string | null
  /** As stored. See docs/entries.md, "Details". */
  details: Record<string, unknown> | null
  requestId: string | null
  ip: string | null
  userAgent: string | null
  organizationId: string | null
  /** The order of entries. */
  seq: bigint
  /** Entries with the same value were committed together. */
  transactionId: bigint
  /** The record before, as `details` has it; null where there is none. */
  before: Record<string, unknown> | null
  /** The record after, as `details` has it; null where there is none. */
  after: Record<string, unknown> | null
  /**
   * The fields that an update changed; empty for everything else. For a created record see `after`, for a deleted one
   * `before`.
   */
  changes: FieldChange[]
  /** The file of the archive that it was read from; left out for an entry of the table. */
  archivedIn?: string
}

export interface FieldChange {
  field: string
  from: unknown
  to: unknown
}

/** A row of the log's table as {@link entryColumns} selects it. */
export interface EntryRow extends Record<LogColumn, unknown> {
  id: string
  timestamp: Date
  action: string
  actor_id: string
  actor_type: Actor['type']
  actor_email: string | null
  resource_type: string
  resource_id: string | null
  outcome: 'success' | 'failure'
  reason: string | null
  details: Record<string, unknown> | null
  request_id: string | null
  ip: string | null
  user_agent: string | null
  organization_id: string | null
  seq: bigint
  transaction_id: bigint
  /** Only where it was read from an archive. */
  archived_in?: string
}

/** The part of a row that an insert sets; the database fills in the rest. */
export type WrittenRow = Pick<EntryRow, WrittenColumn>

/** The columns to select or return from the log's table. */
export const entryColumns = columnNames
  .map((name) => `${readColumn(name)} AS ${quoteIdentifier(name)}`)
  .join(', ')

export function toEntry(row: EntryRow): AuditEntry {
  const before = objectIn(row.details, 'before')
  const after = objectIn(row.details, 'after')
  const written = toUnwritten(row)
  // one by one: spreading them into the entry takes longer than everything else here
  const entry: AuditEntry = {
    id: written.id,
    timestamp: row.timestamp,
    action: written.action,
    actor: written.actor,
    resource: written.resource,
    outcome: written.outcome,
    reason: written.reason,
    details: written.details,
    requestId: written.requestId,
    ip: written.ip,
    userAgent: written.userAgent,
    organizationId: written.organizationId,
    seq: row.seq,
    transactionId: row.transaction_id,
    before,
    after,
    changes: changedFields(row.details, before, after).map((field) => ({
      field,
      from: before?.[field] ?? null,
      to: after?.[field] ?? null,
    })),
  }
  if (row.archived_in !== undefined) entry.archivedIn = row.archived_in
  return entry
}

/** An entry without what the database fills in. */
export function toUnwritten(row: WrittenRow): UnwrittenEntry {
  return {
    id: row.id,
    action: row.action,
    actor: {
      id: row.actor_id,
      type: row.actor_type,
      ...(row.actor_email === null ? {} : { email: row.actor_email }),
    },
    resource: { type: row.resource_type, id: row.resource_id },
    outcome: row.outcome,
    reason: row.reason,
    details: row.details,
    requestId: row.request_id,
    ip: row.ip,
    userAgent: row.user_agent,
    organizationId: row.organization_id,
  }
}

/** An event's details may have something else under this name. */
function objectIn(details: EntryRow['details'], key: 'before' | 'after'): Record<string, unknown> | null {
  const value = details?.[key]
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

/** An update lists what it changed. An event with a record before and after may not. */
function changedFields(
  details: EntryRow['details'],
  before: Record<string, unknown> | null,
  after: Record<string, unknown> | null,
): string[] {
  if (Array.isArray(details?.changed)) {
    return details.changed.filter((field): field is string => typeof field === 'string')
  }
  return before && after ? differingFields(before, after) : []
}
