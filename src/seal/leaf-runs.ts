import { internalTable } from '../log/internal-schema.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { leafLength } from './leaf.ts'

/** Leaves that follow each other: the index of the first one, and of the last. */
export type LeafRun = readonly [first: number, last: number]

/** Which entries of the log are meant. */
export interface LeavesOf {
  /** The name of the log in the internal schema. */
  readonly name: string
  /** The table that has them, quoted. */
  readonly partition: string
  /** Their `seq` is higher. */
  readonly after: bigint
  /** How many leaves the tree has; what was sealed later is left out. */
  readonly size: number
}

/**
 * The leaves of the entries of one partition, in order, in as few runs as there can be. The database finds them in one pass over
 * the partition and over the leaves that were sealed from its first transaction to its last one.
 */
export async function readLeafRuns(
  { table, connection }: Pick<ReaderLog, 'table' | 'connection'>,
  { name, partition, after, size }: LeavesOf,
): Promise<LeafRun[]> {
  const [eras, sealed] = [internalTable(table, 'eras'), internalTable(table, 'sealed_leaves')]
  const [row] = await connection.query<{ runs: string }>(
    `WITH spans AS MATERIALIZED (
  SELECT e.number AS era, t.lowest, t.highest FROM ${eras} AS e, LATERAL (
    SELECT min(l.transaction_id) AS lowest, max(l.transaction_id) AS highest FROM ONLY ${partition} AS l
    WHERE l.seq > $2::text::int8
      AND (l.seq > e.after_seq OR NOT EXISTS (SELECT FROM ${eras} AS f WHERE f.log = e.log AND f.number < e.number))
      AND l.seq <= coalesce((SELECT min(f.after_seq) FROM ${eras} AS f WHERE f.log = e.log AND f.number > e.number), l.seq)
  ) AS t WHERE e.log = $1::text AND t.lowest IS NOT NULL
), bounds AS MATERIALIZED (
  SELECT p.era, p.highest, coalesce((SELECT s.first_leaf FROM ${sealed} AS s
      WHERE s.log = $1::text AND s.era = p.era AND s.transaction_id < p.lowest
      ORDER BY s.transaction_id DESC, s.seq DESC LIMIT 1), 0) AS first_leaf
  FROM spans AS p
), steps AS (
  SELECT s.first_leaf, s.entries, s.leaves || ''::bytea AS leaves -- out of line it would be read again for each leaf
  FROM bounds AS b JOIN ${sealed} AS s
    ON s.log = $1::text AND s.era = b.era AND s.transaction_id <= b.highest AND s.first_leaf >= b.first_leaf
  OFFSET 0
), leaves AS (
  SELECT s.first_leaf + n AS leaf, pg_catalog.substring(s.leaves, n * ${leafLength} + 2, 24) AS key
  FROM steps AS s CROSS JOIN pg_catalog.generate_series(0, s.entries - 1) AS n
  WHERE s.first_leaf + n < $3::text::int8
  OFFSET 0 -- what is joined is short
), found AS (
  SELECT s.leaf FROM leaves AS s JOIN ONLY ${partition} AS l
    ON l.seq > $2::text::int8 AND pg_catalog.int8send(l.seq) || pg_catalog.uuid_send(l.id) = s.key
), runs AS (
  SELECT min(i.leaf) AS first, max(i.leaf) AS last
  FROM (SELECT f.leaf, f.leaf - pg_catalog.row_number() OVER (ORDER BY f.leaf) AS island FROM found AS f) AS i GROUP BY i.island
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(r.first, r.last) ORDER BY r.first), '[]')::text AS runs
FROM runs AS r`,
    ...[name, String(after), String(size)],
  )
  return JSON.parse(row?.runs ?? '[]') as LeafRun[]
}
