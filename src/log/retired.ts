import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { internalTable } from './internal-schema.ts'
import { areReadable } from './internal-tables.ts'

/**
 * The moment from which on all entries of a log are in its table, ISO 8601: the end of the newest month of which something has left.
 *
 * @returns null where nothing has left, as far as the role may see that
 */
export async function readRetiredUntil(connection: SqlClient, table: TableName): Promise<string | null> {
  if (!(await areReadable(connection, table, ['archives']))) return null
  const [newest] = await connection.query<{ upper: string | null }>(
    `SELECT pg_catalog.to_char(max(a.upper) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS upper
     FROM ${internalTable(table, 'archives')} AS a
     JOIN pg_catalog.pg_class AS c ON c.oid = $1::text::pg_catalog.regclass JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE a.log = pg_catalog.format('%I.%I', n.nspname, c.relname) AND a.retired_at IS NOT NULL`,
    quoteTable(table),
  )
  return newest?.upper ?? null
}
