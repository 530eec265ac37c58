import { internalTable } from '../log/internal-schema.ts'
import type { ReaderCursor } from '../reader/cursor.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { leafLength, saltLength } from './leaf.ts'
import { cut } from './stored-tiles.ts'

/** A leaf as it is stored, with its salt. */
export interface SealedLeaf {
  readonly index: number
  readonly bytes: Buffer
  readonly salt: Buffer
}

/** The leaf of an entry: in the last step that begins at its place or before. */
export async function readSealedLeaf(
  { table, connection }: ReaderLog,
  name: string,
  { era, transactionId, seq }: ReaderCursor,
  id: string,
): Promise<SealedLeaf | undefined> {
  const [row] = await connection.query<{ first_leaf: string; leaves: string; salts: string | null }>(
    `SELECT s.first_leaf::text, pg_catalog.encode(s.leaves, 'base64') AS leaves,
  (SELECT pg_catalog.encode(t.salts, 'base64') FROM ${internalTable(table, 'seal_salts')} AS t
    WHERE t.log = s.log AND t.first_leaf = s.first_leaf LIMIT 1) AS salts
FROM ${internalTable(table, 'sealed_leaves')} AS s
WHERE s.log = $1::text AND (s.era, s.transaction_id, s.seq) <= ($2::int4, $3::int8, $4::int8)
ORDER BY s.era DESC, s.transaction_id DESC, s.seq DESC LIMIT 1`,
    ...[name, era, transactionId, seq].map(String),
  )
  if (!row) return undefined
  const wanted = Buffer.from(id.replaceAll('-', ''), 'hex')
  const leaves = cut(Buffer.from(row.leaves, 'base64'), leafLength)
  const at = leaves.findIndex((leaf) => leaf.subarray(9, 25).equals(wanted))
  const leaf = leaves[at]
  if (!leaf) return undefined
  const salt = Buffer.from(row.salts ?? '', 'base64').subarray(at * saltLength, (at + 1) * saltLength)
  return { index: Number(row.first_leaf) + at, bytes: leaf, salt }
}
