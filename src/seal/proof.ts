import { AuditError } from '../errors.ts'
import { columnNames, type LogColumn } from '../log/columns.ts'
import { internalTable } from '../log/internal-schema.ts'
import type { Log } from '../log/log.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { eraOf } from '../reader/committed-range.ts'
import type { ReaderCursor } from '../reader/cursor.ts'
import { readKnownPosition } from '../reader/eras.ts'
import { exactColumns } from '../reader/exact-row.ts'
import { type ReaderLog, readerLog } from '../reader/reader-log.ts'
import type { ExactRow } from '../sink.ts'
import { leafLength, saltLength } from './leaf.ts'
import { readCheckpointOf } from './stored-checkpoint.ts'
import { cut, readTilesFor } from './stored-tiles.ts'
import { inclusionRanges } from './tree-proofs.ts'

/** What shows, without the database, that an entry is in the log. Store it as JSON. */
export interface EntryProof {
  readonly format: typeof proofFormat
  /** The entry: its columns, as text. */
  readonly entry: Readonly<Record<LogColumn, string | null>>
  /** Base64, as is `leaf`. */
  readonly salt: string
  readonly leaf: string
  /** C2SP tlog-proof: the number of the leaf, the hashes from it to the root, and the checkpoint. */
  readonly proof: string
}

export const proofFormat = 'prisma-extension-audit/proof@v1'

/** The part of `$audit` that gives proofs. */
export interface Proofs {
  /**
   * What shows a third party, without the database, that an entry was in the log when a checkpoint was signed, and is exactly as it was
   * then: `npx prisma-extension-audit verify-proof`. It has the values of the entry in it. The proof of an entry is always the same: it is
   * made for the first checkpoint that covers the entry. docs/seals.md has its format.
   *
   * @param entryId the id of an entry
   * @throws AuditError `AUDIT_NOT_SEALED`, `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE`
   *
   * @example
   * ```ts
   * const proof = await prisma.$audit.proof(entry.id)
   * await writeFile('entry.json', JSON.stringify(proof))
   * ```
   */
  proof(entryId: string): Promise<EntryProof>
}

export function createProofs(log: Log): Proofs {
  return { proof: (entryId) => proveEntry(readerLog(log), entryId) }
}

/** @throws AuditError `AUDIT_NOT_SEALED` */
export async function proveEntry(log: ReaderLog, entryId: string): Promise<EntryProof> {
  const position = await readKnownPosition(log)
  const row = await readExactRow(log, entryId)
  if (!row)
    throw notSealed(`there is no entry ${JSON.stringify(entryId)} in the audit log ${quoteTable(log.table)}`)
  const seq = BigInt(row.seq)
  const place = { era: eraOf(position, seq).number, transactionId: BigInt(row.transaction_id), seq }
  const sealed = await readSealedLeaf(log, position.log, place, entryId)
  const checkpoint = sealed && (await readCheckpointOf(log, position.log, sealed.index))
  if (!sealed || !checkpoint) {
    throw notSealed(
      `the entry ${entryId} is not sealed. Ask again after the next checkpoint; if nothing seals the log, run "npx prisma-extension-audit seal"`,
    )
  }
  const ranges = inclusionRanges(sealed.index, checkpoint.size)
  const tiles = await readTilesFor(log, position.log, ranges)
  const hashes = ranges.map((range) => `${tiles.hashOf(range).toString('base64')}\n`)
  return {
    format: proofFormat,
    entry: Object.fromEntries(columnNames.map((name) => [name, row[name]])) as EntryProof['entry'],
    ...{ salt: sealed.salt.toString('base64'), leaf: sealed.leaf.toString('base64') },
    proof: `c2sp.org/tlog-proof@v1\nindex ${sealed.index}\n${hashes.join('')}\n${checkpoint.note}`,
  }
}

async function readExactRow({ table, connection }: ReaderLog, id: string): Promise<ExactRow | undefined> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return undefined
  const [row] = await connection.query<ExactRow>(
    `SELECT ${exactColumns} FROM ${quoteTable(table)} AS l WHERE l.id = $1::text::uuid`,
    id,
  )
  return row
}

interface SealedLeaf {
  readonly index: number
  readonly leaf: Buffer
  readonly salt: Buffer
}

/** The leaf of an entry: in the last step that begins at its place or before. */
async function readSealedLeaf(
  { table, connection }: ReaderLog,
  name: string,
  { era, transactionId, seq }: ReaderCursor,
  id: string,
): Promise<SealedLeaf | undefined> {
  const [row] = await connection.query<{ first_leaf: string; leaves: string; salts: string | null }>(
    `SELECT s.first_leaf::text, pg_catalog.encode(s.leaves, 'base64') AS leaves,
  (SELECT pg_catalog.encode(t.salts, 'base64') FROM ${internalTable(table, 'seal_salts')} AS t
    WHERE t.log = s.log AND t.first_leaf = s.first_leaf) AS salts
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
  return { index: Number(row.first_leaf) + at, leaf, salt }
}

function notSealed(reason: string): AuditError {
  return new AuditError('AUDIT_NOT_SEALED', `There is no proof: ${reason}.`)
}
