import type { Actor, AuditContext } from '../context/context.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type AuditEntry, type EntryRow, entryColumns, toEntry, type WrittenRow } from './entry.ts'

/** An entry about to be written. It has its id already, so writing it again after a lost answer adds no second one. */
export interface NewEntry {
  readonly id: string
  readonly action: string
  readonly resourceType: string
  readonly resourceId: string | null
  readonly outcome: 'success' | 'failure'
  readonly reason: string | null
  /** Plain JSON. */
  readonly details: Record<string, unknown> | null
  readonly context: AuditContext & { readonly actor: Actor }
}

/**
 * Writes any number of entries in order, in one statement.
 *
 * @returns the stored entries in order, without those that already existed
 */
export async function writeEntries(
  table: TableName,
  connection: SqlClient,
  entries: readonly NewEntry[],
): Promise<AuditEntry[]> {
  const rows = await connection.query<EntryRow>(
    writeStatement(table, entryColumns),
    documentOf(entries.map(rowTextOf)),
  )
  return rows.map(toEntry).sort((a, b) => (a.seq < b.seq ? -1 : 1))
}

/** Writes rows from {@link rowTextOf} in order, in one statement; existing ones are left unchanged. */
export async function writeRows(
  table: TableName,
  connection: SqlClient,
  rows: readonly string[],
): Promise<void> {
  await connection.query(writeStatement(table, 'id'), documentOf(rows))
}

/**
 * The function that the log's migration made for events, reads and failures: it writes with its owner's privileges, and
 * marks what could be mistaken for a change that the database saw. The rows are sent as one JSON document.
 */
function writeStatement(table: TableName, selected: string): string {
  return `SELECT ${selected} FROM ${quoteTable({ ...table, name: `${table.name}_write` })}($1::pg_catalog.jsonb)`
}

function documentOf(rows: readonly string[]): string {
  return `[${rows.join(',')}]`
}

/** An entry as one JSON object of the log's columns. */
export function rowTextOf(entry: NewEntry): string {
  return JSON.stringify(rowOf(entry))
}

export function rowOf({ context, ...entry }: NewEntry): WrittenRow {
  return {
    id: entry.id,
    action: entry.action,
    actor_id: context.actor.id,
    actor_type: context.actor.type,
    actor_email: context.actor.email ?? null,
    resource_type: entry.resourceType,
    resource_id: entry.resourceId,
    outcome: entry.outcome,
    reason: entry.reason,
    details: entry.details,
    request_id: context.requestId ?? null,
    ip: context.ip ?? null,
    user_agent: context.userAgent ?? null,
    organization_id: context.organizationId ?? null,
  }
}
