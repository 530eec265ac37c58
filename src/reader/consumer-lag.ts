import { internalTable } from '../log/internal-schema.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { commitOrder } from './committed-range.ts'
import type { ReaderLog } from './reader-log.ts'
import { consumerPlace, unreadInEra, unreadLater } from './unread.ts'

/** How far a consumer is behind. */
export interface ConsumerLag {
  readonly name: string
  /** Entries that are committed and not acknowledged, counted up to 100,000. */
  readonly entries: number
  /** Since the first of them was written, by the clock of the database; 0 where there is none. */
  readonly seconds: number
  /** Whether a process is at work for it. */
  readonly isHeld: boolean
  /** How many batches were begun. */
  readonly batches: string
  /** ISO 8601; null before the first. */
  readonly acknowledgedAt: string | null
}

/**
 * The consumers of a log, by name.
 *
 * @throws AuditError `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE`
 */
export async function readConsumerLags({ table, connection }: ReaderLog): Promise<ConsumerLag[]> {
  const log = quoteTable(table)
  const [row] = await connection.query<{ lags: string }>(
    `WITH named AS (
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.oid = $1::pg_catalog.regclass
), consumers AS (
  SELECT ${consumerPlace(table)}, c.lease_until, c.batch, c.acknowledged_at
  FROM ${internalTable(table, 'consumers')} AS c JOIN named ON c.log = named.name
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
  'name', c.name, 'entries', waiting.entries, 'seconds', greatest(0, coalesce(waiting.seconds, 0)),
  'isHeld', coalesce(c.lease_until > pg_catalog.clock_timestamp(), false), 'batches', c.batch::text,
  'acknowledgedAt', pg_catalog.to_char(c.acknowledged_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
) ORDER BY c.name), '[]')::text AS lags
FROM consumers AS c, LATERAL (
  SELECT count(*) AS entries, extract(epoch FROM pg_catalog.clock_timestamp() - min(w.timestamp)) AS seconds
  FROM (
    SELECT o.timestamp FROM (
      SELECT l."timestamp" FROM ${log} AS l
      WHERE ${unreadInEra}
      ORDER BY ${commitOrder} LIMIT 100000
    ) AS o
    UNION ALL
    (SELECT l."timestamp" FROM ${log} AS l WHERE ${unreadLater} LIMIT 100000)
    LIMIT 100000
  ) AS w
) AS waiting`,
    log,
  )
  return JSON.parse((row as { lags: string }).lags) as ConsumerLag[]
}
