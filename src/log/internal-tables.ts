import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type InternalTable, internalSchema, internalTable } from './internal-schema.ts'

/** Whether all of these tables, which are kept beside a log, are there and the role may read them. */
export async function areReadable(
  connection: SqlClient,
  table: TableName,
  names: readonly InternalTable[],
): Promise<boolean> {
  const [tables] = await connection.query<{ areReadable: boolean }>(
    `SELECT count(*) = pg_catalog.json_array_length($2::text::json) AS "areReadable"
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1::text AND c.relname IN (SELECT pg_catalog.json_array_elements_text($2::text::json))
       AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')`,
    ...[internalSchema(table), JSON.stringify(names)],
  )
  return tables?.areReadable === true
}

/**
 * Whether a table that is kept beside a log has a row of this log.
 *
 * @param begin what the name in the row begins with; undefined for a table without names
 */
export async function hasRow(
  connection: SqlClient,
  table: TableName,
  inside: InternalTable,
  begin?: string,
): Promise<boolean> {
  const isNamed = begin === undefined ? '' : ' AND pg_catalog.starts_with(s.name, $2::text)'
  const [rows] = await connection.query<{ areThere: boolean }>(
    `SELECT EXISTS (
       SELECT FROM ${internalTable(table, inside)} AS s
       JOIN pg_catalog.pg_class AS c ON c.oid = $1::text::regclass
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       WHERE s.log = pg_catalog.format('%I.%I', n.nspname, c.relname)${isNamed}
     ) AS "areThere"`,
    ...[quoteTable(table), ...(begin === undefined ? [] : [begin])],
  )
  return rows?.areThere === true
}
