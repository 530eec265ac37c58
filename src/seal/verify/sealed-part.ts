import { internalTable } from '../../log/internal-schema.ts'
import type { ReaderCursor } from '../../reader/cursor.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { hashLength, tileWidth } from '../tree.ts'

/** Leaves that one step of sealing added, as the database has them. Nothing of it is to be believed. */
export interface StoredLeaves {
  readonly firstLeaf: number
  readonly entries: number
  readonly leaves: Buffer
  /** Undefined where they are gone. */
  readonly salts: Buffer | undefined
  /** Where the first of the entries is said to stand. */
  readonly place: ReaderCursor
}

/** Part of what was sealed. */
export interface SealedPart {
  readonly segments: readonly StoredLeaves[]
  /** From which leaves on there are salts, where no leaves begin. */
  readonly straySalts: readonly number[]
  /** By `level/index`: the roots of tiles that become full in this part; none for one that is there twice, or has not the length of a hash. */
  readonly tileRoots: ReadonlyMap<string, Buffer>
  /** Where the first entry behind this part is said to stand; undefined where there is none. */
  readonly nextPlace: ReaderCursor | undefined
}

/** How many leaves a part has, more or less. A whole number of tiles. */
export const partSize = 32 * tileWidth

interface SegmentRow {
  first_leaf: string
  entries: number
  leaves: string
  salts: string | null
  era: number
  transaction_id: string
  seq: string
}

interface PartRow {
  segments: string
  tiles: string
  stray: string
  next: string | null
}

/** Where the part ends that begins at a leaf: at a multiple of {@link partSize}, or with the leaves. */
export function endOfPart(start: number, total: number): number {
  return Math.min((Math.floor(start / partSize) + 1) * partSize, total)
}

/**
 * Reads the part that begins at a leaf.
 *
 * @param total how many leaves there are: what is behind them is of a later checkpoint, or should not be there
 */
export async function readSealedPart(
  { table, connection }: ReaderLog,
  name: string,
  start: number,
  total: number,
): Promise<SealedPart> {
  const [row] = await connection.query<PartRow>(
    `SELECT (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('first_leaf', s.first_leaf::text, 'entries', s.entries,
    'leaves', pg_catalog.encode(s.leaves, 'hex'), 'salts', pg_catalog.encode(t.salts, 'hex'),
    'era', s.era, 'transaction_id', s.transaction_id::text, 'seq', s.seq::text) ORDER BY s.first_leaf), '[]')::text
  FROM ${internalTable(table, 'sealed_leaves')} AS s
  LEFT JOIN ${internalTable(table, 'seal_salts')} AS t ON t.log = s.log AND t.first_leaf = s.first_leaf
  WHERE s.log = $1::text AND s.first_leaf >= $2::int8 AND s.first_leaf < $3::int8) AS segments,
  (SELECT coalesce(pg_catalog.json_object_agg(r.tile, r.hash), '{}')::text FROM (
  SELECT n.level || '/' || n.index AS tile, min(pg_catalog.encode(n.hash, 'hex')) AS hash
  FROM ${internalTable(table, 'seal_nodes')} AS n
  JOIN (SELECT l, ($2::numeric / ${tileWidth}::numeric ^ l) AS low, ($3::numeric / ${tileWidth}::numeric ^ l) AS high FROM pg_catalog.generate_series(1, 6) AS l) AS b
    ON n.level = b.l AND n.index >= pg_catalog.floor(b.low)::int8 AND n.index < pg_catalog.floor(b.high)::int8
  WHERE n.log = $1::text GROUP BY n.level, n.index HAVING count(*) = 1 AND min(pg_catalog.length(n.hash)) = ${hashLength}
  ) AS r) AS tiles,
  (SELECT coalesce(pg_catalog.json_agg(t.first_leaf ORDER BY t.first_leaf), '[]')::text FROM ${internalTable(table, 'seal_salts')} AS t
  WHERE t.log = $1::text AND t.first_leaf >= $2::int8 AND t.first_leaf < $3::int8 AND NOT EXISTS (
    SELECT FROM ${internalTable(table, 'sealed_leaves')} AS s WHERE s.log = t.log AND s.first_leaf = t.first_leaf)) AS stray,
  (SELECT pg_catalog.json_build_array(s.era, s.transaction_id::text, s.seq::text)::text
  FROM ${internalTable(table, 'sealed_leaves')} AS s WHERE s.log = $1::text AND s.first_leaf >= $3::int8 AND s.first_leaf < $4::int8
  ORDER BY s.first_leaf LIMIT 1) AS next`,
    ...[name, start, endOfPart(start, total), total].map(String),
  )
  const { segments, tiles, stray, next } = row as PartRow
  return {
    segments: (JSON.parse(segments) as SegmentRow[]).map(storedLeaves),
    straySalts: JSON.parse(stray) as number[],
    tileRoots: new Map(
      Object.entries(JSON.parse(tiles) as Record<string, string>).map(([key, hex]) => [
        key,
        Buffer.from(hex, 'hex'),
      ]),
    ),
    nextPlace: next === null ? undefined : placeFrom(JSON.parse(next) as [number, string, string]),
  }
}

function storedLeaves({ first_leaf, entries, leaves, salts, ...place }: SegmentRow): StoredLeaves {
  return {
    ...{ firstLeaf: Number(first_leaf), entries, leaves: Buffer.from(leaves, 'hex') },
    salts: salts === null ? undefined : Buffer.from(salts, 'hex'),
    place: placeFrom([place.era, place.transaction_id, place.seq]),
  }
}

function placeFrom([era, transactionId, seq]: [number, string, string]): ReaderCursor {
  return { era, transactionId: BigInt(transactionId), seq: BigInt(seq) }
}
