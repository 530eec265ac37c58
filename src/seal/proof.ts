import { AuditError } from '../errors.ts'
import { columnNames, type LogColumn } from '../log/columns.ts'
import type { Log } from '../log/log.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { placeOfEntry } from '../reader/committed-range.ts'
import { readKnownPosition } from '../reader/eras.ts'
import { exactColumns } from '../reader/exact-row.ts'
import { type ReaderLog, readerLog } from '../reader/reader-log.ts'
import type { ExactRow } from '../sink.ts'
import { erasureIn } from './erased-entry.ts'
import { isErasedSalt } from './leaf.ts'
import { readSealedLeaf } from './sealed-leaf.ts'
import { readCheckpointOf } from './stored-checkpoint.ts'
import { readTilesFor } from './stored-tiles.ts'
import { inclusionRanges } from './tree-proofs.ts'

/** What shows, without the database, that an entry is in the log. Store it as JSON. */
export interface EntryProof {
  readonly format: typeof proofFormat
  /** The entry: its columns, as text. */
  readonly entry: Readonly<Record<LogColumn, string | null>>
  /** Base64, as is `leaf`. Zeros for an entry that was erased since it was sealed: then `erasure` shows what it became. */
  readonly salt: string
  readonly leaf: string
  /** The proof of the entry `auditLog.erase` that tells what this one is since. */
  readonly erasure?: EntryProof
  /** C2SP tlog-proof: the number of the leaf, the hashes from it to the root, and the checkpoint. */
  readonly proof: string
}

export const proofFormat = 'prisma-extension-audit/proof@v1'

/** The part of `$audit` that gives proofs. */
export interface Proofs {
  /**
   * What shows a third party, without the database, that an entry was in the log when a checkpoint was signed, and is exactly as it was
   * then: `npx prisma-extension-audit verify-proof`. It has the values of the entry in it. The proof of an entry is always the same: it is
   * made for the first checkpoint that covers the entry. Of an entry that was erased since, it shows that it was in the log, and what the
   * erasure has left of it. docs/seals.md has its format.
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
  const [position, row] = await Promise.all([readKnownPosition(log), readExactRow(log, entryId)])
  if (!row)
    throw notSealed(`there is no entry ${JSON.stringify(entryId)} in the audit log ${quoteTable(log.table)}`)
  const sealed = await readSealedLeaf(log, position.log, placeOfEntry(position, row), entryId)
  const checkpoint = sealed && (await readCheckpointOf(log, position.log, sealed.index))
  if (!sealed || !checkpoint) {
    throw notSealed(
      `the entry ${entryId} is not sealed. Ask again after the next checkpoint; if nothing seals the log, run "npx prisma-extension-audit seal"`,
    )
  }
  const erasure = erasureIn(row.details)
  const isErased = isErasedSalt(sealed.salt)
  if (isErased && erasure === undefined) {
    throw notSealed(
      `the entry ${entryId} was erased since it was archived, and its copy in the archive, which is from before, can't be proved. Bring its month back with "npx prisma-extension-audit archive --restore", which erases it, and ask again`,
    )
  }
  const ranges = inclusionRanges(sealed.index, checkpoint.size)
  const tiles = await readTilesFor(log, position.log, ranges)
  const hashes = ranges.map((range) => `${tiles.hashOf(range).toString('base64')}\n`)
  return {
    format: proofFormat,
    entry: Object.fromEntries(columnNames.map((name) => [name, row[name]])) as EntryProof['entry'],
    ...{ salt: sealed.salt.toString('base64'), leaf: sealed.bytes.toString('base64') },
    ...(isErased && erasure !== undefined ? { erasure: await proveEntry(log, erasure) } : {}),
    proof: `c2sp.org/tlog-proof@v1\nindex ${sealed.index}\n${hashes.join('')}\n${checkpoint.note}`,
  }
}

async function readExactRow(
  { table, connection, archive }: ReaderLog,
  id: string,
): Promise<ExactRow | undefined> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return undefined
  const [row] = await connection.query<ExactRow>(
    `SELECT ${exactColumns} FROM ${quoteTable(table)} AS l WHERE l.id = $1::text::uuid`,
    id,
  )
  return row ?? (await archive?.byIds([id]))?.[0]?.row
}

function notSealed(reason: string): AuditError {
  return new AuditError('AUDIT_NOT_SEALED', `There is no proof: ${reason}.`)
}
