import { internalTable } from '../log/internal-schema.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { leafLength, saltLength, seqInLeaf } from './leaf.ts'
import type { NextLeaves } from './next-leaves.ts'
import { type TileRoot, tileWidth } from './tree.ts'

/** What the database calls whoever seals, among those that read the log on. */
export const sealingConsumer = 'seal:log'

/** All that one step adds. */
export interface Addition {
  readonly next: NextLeaves
  /** The index of the first leaf. */
  readonly firstLeaf: number
  readonly tiles: readonly TileRoot[]
  readonly number: number
  readonly size: number
  readonly root: Buffer
  readonly note: string
}

/**
 * Adds a checkpoint, and all that it covers and the one before does not: one statement, so all of it or nothing. Of several
 * processes that add the same number one succeeds, and the others fail with a unique violation, SQLSTATE 23505.
 *
 * @param name of the log in the internal schema
 */
export async function appendSeal(
  { table, connection }: ReaderLog,
  name: string,
  { next, firstLeaf, tiles, number, size, root, note }: Addition,
): Promise<void> {
  const { era, transactionId, seq } = next.placeOf(next.count - 1)
  const to = (table_: Parameters<typeof internalTable>[1]) => internalTable(table, table_)
  await connection.query(
    `WITH parts AS (
  SELECT * FROM pg_catalog.json_to_recordset($4::text::json) AS p(at int4, entries int4, first_leaf int8, transaction_id int8, seq int8)
), leaves AS (
  INSERT INTO ${to('sealed_leaves')} (log, first_leaf, entries, leaves, era, transaction_id, seq)
  SELECT $1::text, first_leaf, entries, pg_catalog.substring((SELECT pg_catalog.decode($2::text, 'base64')), at * ${leafLength} + 1, entries * ${leafLength}),
    $6::int4, transaction_id, seq FROM parts
), salts AS (
  INSERT INTO ${to('seal_salts')} (log, first_leaf, salts)
  SELECT $1::text, first_leaf, pg_catalog.substring((SELECT pg_catalog.decode($3::text, 'base64')), at * ${saltLength} + 1, entries * ${saltLength})
  FROM parts
), nodes AS (
  INSERT INTO ${to('seal_nodes')} (log, level, index, hash)
  SELECT $1::text, level, index, pg_catalog.decode(hash, 'base64')
  FROM pg_catalog.json_to_recordset($5::text::json) AS n(level int4, index int8, hash text)
), consumer AS (
  INSERT INTO ${to('consumers')} AS c (log, name, era, transaction_id, seq, highest_seq, batch, acknowledged_at)
  VALUES ($1::text, '${sealingConsumer}', $6::int4, $7::int8, $8::int8, $9::int8, $10::int8, pg_catalog.clock_timestamp())
  ON CONFLICT (log, name) DO UPDATE SET era = excluded.era, transaction_id = excluded.transaction_id, seq = excluded.seq,
    highest_seq = greatest(c.highest_seq, excluded.highest_seq), batch = excluded.batch, acknowledged_at = excluded.acknowledged_at
)
INSERT INTO ${to('checkpoints')} (log, number, size, root, note, era, transaction_id, seq)
VALUES ($1::text, $10::int8, $11::int8, pg_catalog.decode($12::text, 'base64'), $13::text, $6::int4, $7::int8, $8::int8)`,
    ...[name, next.leaves.toString('base64'), next.salts.toString('base64')],
    JSON.stringify(partsOf(next, firstLeaf)),
    JSON.stringify(tiles.map(({ hash, ...tile }) => ({ ...tile, hash: hash.toString('base64') }))),
    ...[era, transactionId, seq, highestSeqOf(next), number, size].map(String),
    ...[root.toString('base64'), note],
  )
}

/** The leaves of a step by tiles. */
function partsOf(next: NextLeaves, firstLeaf: number) {
  const { count } = next
  const parts = []
  for (let at = 0; at < count; ) {
    const { transactionId, seq } = next.placeOf(at)
    const leaf = firstLeaf + at
    const entries = Math.min(tileWidth - (leaf % tileWidth), count - at)
    parts.push({ at, entries, first_leaf: leaf, transaction_id: String(transactionId), seq: String(seq) })
    at += entries
  }
  return parts
}

function highestSeqOf({ count, leaves }: NextLeaves): bigint {
  let highest = 0n
  for (let index = 0; index < count; index++) {
    const seq = seqInLeaf(leaves, index * leafLength)
    if (seq > highest) highest = seq
  }
  return highest
}
