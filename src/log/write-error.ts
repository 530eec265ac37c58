import { AuditError } from '../errors.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import { toUnwritten, type WrittenRow } from './entry.ts'
import { type NewEntry, rowOf } from './insert.ts'

/** PostgreSQL manual, appendix A: connection, transaction rollback, resources, operator intervention, system. */
const passingClasses = new Set(['08', '40', '53', '57', '58'])

/** A lock that is not available. */
const passingStates = new Set(['55P03'])

/** The database or the session only reads: a standby after a failover stays one. */
const readOnly = '25006'

/** Whether the same statement could succeed later. */
export function canPass(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === undefined || passingClasses.has(state.slice(0, 2)) || passingStates.has(state)
}

/** Missing table, column, schema and function. */
export const missingStates = new Set(['42P01', '42703', '3F000', '42883'])

/** Whether an insert of any other entry would be refused too: the table or a privilege is missing, or nothing can be written. */
export function concernsEveryEntry(error: unknown): boolean {
  const state = sqlStateOf(error) ?? ''
  return missingStates.has(state) || state === '42501' || state === readOnly
}

/** Why an event that its caller waits for is not in the log. */
export function refusedEvent(error: unknown, event: NewEntry, table: TableName): AuditError {
  const entry = toUnwritten(rowOf(event))
  if (missingStates.has(sqlStateOf(error) ?? '')) {
    return new AuditError(
      'AUDIT_TABLE_MISSING',
      `The audit log's table ${quoteTable(table)} is not in the database, or lacks a column or a migration, so the event ${entry.action} could not be recorded. Run "npx prisma-extension-audit init" and "npx prisma migrate deploy", or name the log's table with the option table.`,
      { cause: error, entry },
    )
  }
  return new AuditError(
    'AUDIT_NOT_WRITTEN',
    `The event ${entry.action} is not in the log: ${reasonOf(error)}. Nothing was written. See cause, and record it again once that is resolved.`,
    { cause: error, entry },
  )
}

/** The insert was accepted and stored nothing. */
export function swallowedEvent(event: NewEntry, table: TableName): AuditError {
  return new AuditError(
    'AUDIT_NOT_WRITTEN',
    `The event ${event.action} is not in the log: a rule or a trigger on the table ${quoteTable(table)} blocked it. Remove the rule or trigger; the log's own migrations have none on INSERT.`,
    { entry: toUnwritten(rowOf(event)) },
  )
}

/** Why a queued entry is not in the log. */
export function refusedEntry(error: unknown, row: WrittenRow): AuditError {
  return new AuditError(
    'AUDIT_NOT_WRITTEN',
    `The queued entry ${row.action} could not be written: ${reasonOf(error)}. It is no longer queued; keep the property entry if the log must have it later.`,
    { cause: error, entry: toUnwritten(row) },
  )
}

function reasonOf(error: unknown): string {
  const state = sqlStateOf(error)
  if (state === undefined) return 'the database did not answer'
  return `the database refused it with SQLSTATE ${state}`
}
