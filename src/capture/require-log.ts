import { AuditError } from '../errors.ts'
import { columnNames } from '../log/columns.ts'
import { type Catalog, findColumn, findTable } from '../postgres/catalog.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'

const oldestServer = 14

/**
 * Makes sure that changes can be recorded in this database.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_DATABASE` or `AUDIT_TABLE_MISSING`
 */
export function requireLog(catalog: Catalog, table: TableName): void {
  if (catalog.server.major < oldestServer) {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_DATABASE',
      `The server is PostgreSQL ${catalog.server.major}, but the audit needs 14 or newer. Nothing was written. Upgrade the server.`,
    )
  }
  const log = findTable(catalog, table)
  const name = quoteTable(table)
  const missing = log && columnNames.filter((column) => !findColumn(log, column))
  if (missing?.length === 0) return
  throw new AuditError(
    'AUDIT_TABLE_MISSING',
    `${missing ? `The table ${name} lacks ${missing.join(', ')}` : `The audit log's table ${name} is not in the database`}, so a change could not be recorded. Nothing was written. Run "npx prisma-extension-audit init" and "npx prisma migrate deploy", or name the log's table with the option table.`,
  )
}
