import { internalTable } from '../log/internal-schema.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { leafLength } from './leaf.ts'
import { type LeafRange, type Tile, TileHashes, tilesFor } from './subtrees.ts'
import { hashOfLeaf, tileWidth } from './tree.ts'

/** Reads what the hashes of ranges are computed from, in one statement. */
export async function readTilesFor(
  log: ReaderLog,
  name: string,
  ranges: readonly LeafRange[],
): Promise<TileHashes> {
  const hashes = new TileHashes()
  for (const { tile, bytes } of await readTiles(log, name, tilesFor(ranges))) {
    hashes.add(tile, tile.level === 0 ? Buffer.concat(cut(bytes, leafLength).map(hashOfLeaf)) : bytes)
  }
  return hashes
}

/**
 * Reads tiles, as many of their leaves or hashes as there are by now.
 *
 * @param name of the log in the internal schema
 * @returns in the same order: at level 0 the leaves themselves, above the hashes
 */
export async function readTiles(
  { table, connection }: ReaderLog,
  name: string,
  tiles: readonly Tile[],
): Promise<{ tile: Tile; bytes: Buffer }[]> {
  if (tiles.length === 0) return []
  const inTile = (column: string) =>
    `${column} >= t.index * ${tileWidth} AND ${column} < (t.index + 1) * ${tileWidth}`
  const rows = await connection.query<{ bytes: string | null }>(
    `SELECT pg_catalog.encode(CASE WHEN t.level = 0 THEN (
    SELECT pg_catalog.string_agg(s.leaves, ''::bytea ORDER BY s.first_leaf) FROM ${internalTable(table, 'sealed_leaves')} AS s
    WHERE s.log = $1::text AND ${inTile('s.first_leaf')}
  ) ELSE (
    SELECT pg_catalog.string_agg(n.hash, ''::bytea ORDER BY n.index) FROM ${internalTable(table, 'seal_nodes')} AS n
    WHERE n.log = $1::text AND n.level = t.level AND ${inTile('n.index')}
  ) END, 'base64') AS bytes
FROM pg_catalog.json_to_recordset($2::text::json) AS t(number int4, level int4, index int8) ORDER BY t.number`,
    ...[name, JSON.stringify(tiles.map((tile, number) => ({ number, ...tile })))],
  )
  return tiles.map((tile, index) => ({ tile, bytes: Buffer.from(rows[index]?.bytes ?? '', 'base64') }))
}

/** Bytes as parts of one length; a rest is a part, too. */
export function cut(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length))
}
