import { internalTable } from '../../log/internal-schema.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { leafLength } from '../leaf.ts'
import { tileWidth } from '../tree.ts'
import type { Finding } from './finding.ts'

/**
 * What is stored of the tree behind the newest checkpoint. One statement adds a checkpoint with all that it covers, so there is
 * nothing but what somebody has added, or left when he took a checkpoint away.
 */
export async function findUnsigned({ table, connection }: ReaderLog, name: string): Promise<Finding[]> {
  const newestOf = (of: 'sealed_leaves' | 'seal_salts') =>
    `(SELECT * FROM ${internalTable(table, of)} AS s WHERE s.log = $1::text ORDER BY s.first_leaf DESC LIMIT 1)`
  const [row] = await connection.query<{
    size: string
    leaves: string | null
    salts: string | null
    tile: string | null
    outside: string | null
  }>(
    `SELECT c.size::text,
  (SELECT (s.first_leaf + pg_catalog.length(s.leaves) / ${leafLength})::text FROM ${newestOf('sealed_leaves')} AS s
    WHERE s.first_leaf + pg_catalog.length(s.leaves) / ${leafLength} > c.size) AS leaves,
  (SELECT s.first_leaf::text FROM ${newestOf('seal_salts')} AS s WHERE s.first_leaf >= c.size) AS salts,
  (SELECT n.index || ' at level ' || n.level FROM pg_catalog.generate_series(1, 6) AS l, LATERAL (
    SELECT * FROM ${internalTable(table, 'seal_nodes')} AS n WHERE n.log = $1::text AND n.level = l ORDER BY n.index DESC LIMIT 1
  ) AS n WHERE (n.index + 1)::numeric * ${tileWidth}::numeric ^ n.level > c.size ORDER BY n.level LIMIT 1) AS tile,
  (SELECT n.index || ' at level ' || n.level FROM ${internalTable(table, 'seal_nodes')} AS n
    WHERE n.log = $1::text AND (n.level NOT BETWEEN 1 AND 6 OR n.index < 0) LIMIT 1) AS outside
FROM (SELECT coalesce(max(size), 0) AS size FROM ${internalTable(table, 'checkpoints')} WHERE log = $1::text) AS c`,
    name,
  )
  if (!row) return []
  if (row.outside !== null) {
    const message = `The root of tile ${row.outside} is stored, which no tree has: somebody has added or moved it`
    return [{ kind: 'tile', message }]
  }
  const first = Number(row.size)
  const last = Math.max(first, Number(row.leaves) - 1)
  const what =
    (row.leaves !== null && `The leaves ${first} to ${last} are`) ||
    (row.salts !== null && `Salts from ${row.salts} on are`) ||
    (row.tile !== null && `The root of tile ${row.tile} is`)
  if (!what) return []
  const message = `${what} behind the newest checkpoint: it was not the newest one, or somebody has added them`
  return [{ kind: 'checkpoint', message, leaves: { first, last } }]
}
