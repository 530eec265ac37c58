import { quoteTable } from '../postgres/identifiers.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/** How far the log can be read now, and why no further. */
export interface Horizon {
  /** Entries of transactions below can be read. */
  readonly transactionId: bigint
  /** Committed entries above it, counted up to 10,000. */
  readonly waitingEntries: number
  /** Who runs the oldest transaction; null when none runs, or it ended just now. */
  readonly holder: HorizonHolder | null
}

/**
 * An open transaction, of whatever database of the cluster. Only those that have written have an id and hold back readers.
 * Replication slots and standbys do not: they keep rows from being vacuumed, and are no part of a snapshot.
 */
export interface HorizonHolder {
  /** `prepared`: by `PREPARE TRANSACTION`. It waits for `COMMIT PREPARED` or `ROLLBACK PREPARED`, without a session. */
  readonly kind: 'session' | 'prepared'
  readonly pid: number | null
  /** The name that it was prepared under. */
  readonly gid: string | null
  readonly application: string | null
  readonly user: string | null
  readonly database: string | null
  /** Since when, ISO 8601; null where the role may not see it: `GRANT pg_read_all_stats`. */
  readonly since: string | null
}

/** @throws AuditError `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE` */
export async function readHorizon({ table, connection }: ReaderLog): Promise<Horizon> {
  const iso = (column: string) =>
    `pg_catalog.to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  const [row] = await connection.query<{ horizon: string }>(
    `WITH snapshot AS (SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) AS id),
-- what runs is known by the lower half of its id
oldest AS (SELECT id, (id::text::numeric % 4294967296)::text AS short FROM snapshot),
holder AS (
  SELECT 'session' AS kind, pid, NULL AS gid, coalesce(nullif(application_name, ''), backend_type) AS application,
    usename::text AS user, datname::text AS database, ${iso('xact_start')} AS since
  FROM pg_catalog.pg_stat_activity JOIN oldest ON backend_xid::text = short
  UNION ALL
  SELECT 'prepared', NULL, gid, NULL, owner::text, database::text, ${iso('prepared')}
  FROM pg_catalog.pg_prepared_xacts JOIN oldest ON transaction::text = short
  LIMIT 1
)
SELECT pg_catalog.json_build_object(
  'transactionId', id::text,
  'waitingEntries', (SELECT count(*) FROM (SELECT FROM ${quoteTable(table)}
    WHERE ${transactionSql} >= (SELECT id FROM snapshot) LIMIT 10000) AS w),
  'holder', (SELECT pg_catalog.to_json(holder) FROM holder)
)::text AS horizon FROM oldest`,
  )
  const found = JSON.parse((row as { horizon: string }).horizon) as Horizon & { transactionId: string }
  return { ...found, transactionId: BigInt(found.transactionId) }
}
