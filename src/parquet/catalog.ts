import { internalTable } from '../log/internal-schema.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import type { KeptManifest } from './manifest.ts'

/** What the database knows of the archive of one partition. */
export interface ArchivedMonth {
  /** ISO 8601; null without a beginning. */
  readonly from: string | null
  readonly to: string
  /** What is in the archive, and what of that is in the table. */
  readonly entries: number
  readonly onlineEntries: number
  readonly location: string
  readonly manifests: readonly KeptManifest[]
}

/**
 * The archived months of a log, the newest first.
 *
 * @param options.areRetired only those of which something is no longer in the table
 * @param options.from, options.to only what may have entries of this time, ISO 8601
 */
export async function readArchived(
  connection: SqlClient,
  table: TableName,
  options: { areRetired?: boolean; from?: string | undefined; to?: string | undefined } = {},
): Promise<ArchivedMonth[]> {
  const rows = await connection.query<{ month: string }>(
    `SELECT pg_catalog.json_build_object('from', ${boundSql('a.lower')}, 'to', ${boundSql('a.upper')}, 'entries', a.entries,
  'onlineEntries', a.online_entries, 'location', a.location, 'manifests', a.manifests)::text AS month
FROM ${internalTable(table, 'archives')} AS a
JOIN pg_catalog.pg_class AS c ON c.oid = $1::text::pg_catalog.regclass JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.log = pg_catalog.format('%I.%I', n.nspname, c.relname) ${options.areRetired ? 'AND a.retired_at IS NOT NULL' : ''}
  AND a.upper > coalesce($2::text::pg_catalog.timestamptz, '-infinity') AND a.lower <= coalesce($3::text::pg_catalog.timestamptz, 'infinity')
ORDER BY a.upper DESC`,
    ...[quoteTable(table), options.from ?? null, options.to ?? null],
  )
  return rows.map(({ month }) => JSON.parse(month) as ArchivedMonth)
}

/** A bound of a month in SQL, as ISO 8601 without a fraction; null without a beginning. */
export function boundSql(moment: string): string {
  return `CASE WHEN ${moment} > '-infinity' THEN pg_catalog.to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END`
}
