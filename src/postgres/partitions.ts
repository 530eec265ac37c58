import { type Connection, queryOf } from './connection.ts'
import { quoteTable, type TableName } from './identifiers.ts'
import type { SqlClient } from './sql-client.ts'

/** A partition of the log. A default partition has neither bound: it takes what no other is for. */
export interface Partition {
  /** With its schema, quoted. */
  readonly name: string
  readonly isDefault: boolean
  /** Milliseconds since 1970, inclusive; null without a bound. */
  readonly lower: number | null
  /** Milliseconds since 1970, exclusive; null without a bound. */
  readonly upper: number | null
  /** Whether nobody can change or remove entries by addressing it. */
  readonly isProtected: boolean
  /** Whether it has never had an entry. */
  readonly isEmpty: boolean
  /** Whether it may have an entry of the kind that names a record among several that were read. */
  readonly hasReads: boolean
}

/** The partitions of a log at one moment. */
export interface Partitions {
  /** The database's clock, in milliseconds since 1970. */
  readonly now: number
  /** Whether the role may call the function that gives the newest entries of a record. */
  readonly canCallNewest: boolean
  /** In order of time. */
  readonly partitions: readonly Partition[]
}

/**
 * The {@link Partitions} as one JSON value, in SQL that every role may run; null for a log that is not partitioned.
 *
 * @param log an expression for the oid of the log's table
 */
export function partitionsJson(log: string): string {
  // the text of a bound and the cast use the same settings of the session
  const bound = (pattern: string) =>
    `(extract(epoch FROM substring(b.bound FROM '${pattern}')::pg_catalog.timestamptz) * 1000)::int8`
  return `(SELECT CASE WHEN l.relkind = 'p' THEN pg_catalog.json_build_object(
  'now', (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::int8,
  'canCallNewest', EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = l.relnamespace
    AND p.proname = pg_catalog.concat(l.relname, '_newest')::name AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')),
  'partitions', (SELECT coalesce(pg_catalog.json_agg(p.partition ORDER BY p.lower NULLS FIRST), '[]') FROM (
    SELECT b.lower, pg_catalog.json_build_object('name', b.name, 'isDefault', b.is_default, 'lower', b.lower, 'upper', b.upper, 'isProtected', b.protected,
      'isEmpty', b.size = 0, 'hasReads', b.has_reads) AS partition
    FROM (
      SELECT pg_catalog.format('%I.%I', n.nspname, b.relname) AS name, b.protected, b.size, b.has_reads, b.bound = 'DEFAULT' AS is_default,
        ${bound(String.raw`^FOR VALUES FROM \(''(?!-?infinity)([^'']*)''\)`)} AS lower, ${bound(String.raw`TO \(''(?!-?infinity)([^'']*)''\)$`)} AS upper
      FROM (
        SELECT c.relname, c.relnamespace, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound, pg_catalog.pg_relation_size(c.oid) AS size,
          -- only such reads are in the partial index of that kind, which has two blocks as long as it is empty
          (SELECT count(*) = 0 OR max(pg_catalog.pg_relation_size(x.indexrelid)) > 2 * pg_catalog.current_setting('block_size')::int8
            FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class xc ON xc.oid = x.indexrelid JOIN pg_catalog.pg_am a ON a.oid = xc.relam
            WHERE x.indrelid = c.oid AND x.indisvalid AND x.indpred IS NOT NULL AND a.amname = 'gin') AS has_reads,
          -- BEFORE and for each statement: 2, and 16, 8 or 32 for UPDATE, DELETE or TRUNCATE
          (SELECT count(DISTINCT t.tgtype) = 3 FROM pg_catalog.pg_trigger t
            WHERE t.tgrelid = c.oid AND t.tgtype IN (18, 10, 34) AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr = ''
              AND t.tgfoid IN (SELECT r.tgfoid FROM pg_catalog.pg_trigger r WHERE r.tgrelid = l.oid AND r.tgtype = 34)) AS protected
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = l.oid AND c.relispartition
      ) AS b JOIN pg_catalog.pg_namespace n ON n.oid = b.relnamespace
    ) AS b
  ) AS p)
) END FROM pg_catalog.pg_class l WHERE l.oid = ${log})`
}

const partitionsQuery = `SELECT ${partitionsJson('$1::text::pg_catalog.regclass')}::text AS partitions`

/** @returns undefined for a log that is not partitioned */
export async function readPartitions(
  connection: SqlClient,
  table: TableName,
): Promise<Partitions | undefined> {
  const [row] = await connection.query<{ partitions: string | null }>(partitionsQuery, quoteTable(table))
  return row?.partitions ? (JSON.parse(row.partitions) as Partitions) : undefined
}

/** Whether what a partitioned log is given now is refused, as no partition is for it. False where the database can't say. */
export async function lacksPartition(
  connection: Pick<Connection, 'queryRaw'>,
  table: TableName,
): Promise<boolean> {
  try {
    const { rows } = await connection.queryRaw(queryOf(partitionsQuery, [quoteTable(table)]))
    const partitions = rows[0]?.[0]
    return typeof partitions === 'string' && endOfPartitions(JSON.parse(partitions)) === undefined
  } catch {
    return false // the error that made somebody ask says more
  }
}

/**
 * Up to when there is a partition for every moment from now on, in milliseconds since 1970: what is written then is refused.
 *
 * @returns undefined where there is none for now
 */
export function endOfPartitions({ now, partitions }: Partitions): number | undefined {
  const covering = (moment: number) =>
    partitions.find(({ lower, upper }) => (lower ?? -Infinity) <= moment && (upper ?? Infinity) > moment)
  let end: number | undefined
  for (let next = covering(now); next; next = end === Infinity ? undefined : covering(end ?? now)) {
    end = next.upper ?? Infinity
  }
  return end
}
