import { AuditError } from '../errors.ts'
import type { ResolvedOptions } from '../options.ts'
import { type Catalog, findTable } from '../postgres/catalog.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'

/** The options of clients that were told of a log that is still unprotected. */
const told = new WeakSet<ResolvedOptions>()

/** An error where entries could be changed: a trigger of the log's migration is missing or disabled. */
export function unprotectedLog(catalog: Catalog, table: TableName): AuditError | undefined {
  if (findTable(catalog, table)?.immutable !== false) return undefined
  return new AuditError(
    'AUDIT_LOG_UNPROTECTED',
    `A trigger that refuses UPDATE, DELETE or TRUNCATE on the audit log ${quoteTable(table)} is missing or disabled, so entries can be changed. Entries are still written. "npx prisma-extension-audit status" says which trigger; ALTER TABLE … ENABLE ALWAYS TRIGGER or the log's migration brings it back.`,
  )
}

/**
 * Tells an audited client of such a log: `onError`, or else a warning of the process. Once, until the log has been seen
 * protected again, however often the catalog is read. What `onError` throws is no reason to refuse a write.
 */
export function tellUnprotected(catalog: Catalog, options: ResolvedOptions): void {
  const unprotected = unprotectedLog(catalog, options.table)
  if (!unprotected) {
    told.delete(options)
    return
  }
  if (told.has(options)) return
  told.add(options)
  if (!isTaken(unprotected, options)) process.emitWarning(unprotected.message, { code: unprotected.code })
}

function isTaken(error: AuditError, { onError }: ResolvedOptions): boolean {
  try {
    onError?.(error)
    return onError !== undefined
  } catch {
    return false
  }
}
