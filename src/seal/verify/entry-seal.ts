import { compareCursors } from '../../reader/cursor.ts'
import { readKnownPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { parseCheckpoint } from '../checkpoint.ts'
import { parseNote } from '../note.ts'
import { readSealedLeaf, type SealedLeaf } from '../sealed-leaf.ts'
import { readCheckpointOf, readHead } from '../stored-checkpoint.ts'
import { readTilesFor } from '../stored-tiles.ts'
import { hashOfLeaf } from '../tree.ts'
import { inclusionRanges, rootOfInclusion } from '../tree-proofs.ts'
import { Erasures } from './erasures.ts'
import { isSealedAs } from './match-rows.ts'
import { ownPlaceOf, readRowOfBoth } from './rows-between.ts'

/** What the seals say of one entry. Signatures are not looked at, for which it takes a key. */
export type EntrySeal =
  | {
      readonly state: 'sealed'
      /** The number of the first checkpoint that covers it. */
      readonly checkpoint: number
      /** Whether values of it were erased since, as an entry `auditLog.erase` tells. */
      readonly isErased: boolean
      readonly isArchived: boolean
    }
  /** It stands behind all that is sealed. */
  | { readonly state: 'waiting' }
  /** It stands in what was sealed, and is not what was sealed there, or its proof does not lead to the checkpoint. */
  | { readonly state: 'broken' }

/** @returns undefined where the log has no such entry, or nobody sealed it yet */
export async function readEntrySeal(log: ReaderLog, entryId: string): Promise<EntrySeal | undefined> {
  const found = await lookAt(log, entryId)
  // an erasure may have come between the statements: then it fits when looked at again
  return found?.state === 'broken' ? lookAt(log, entryId) : found
}

async function lookAt(log: ReaderLog, entryId: string): Promise<EntrySeal | undefined> {
  const position = await readKnownPosition(log)
  const found = await readRowOfBoth(log, entryId)
  const head = found && (await readHead(log, position.log))
  if (!found || !head) return undefined
  const { row, isArchived } = found
  const place = ownPlaceOf(row, position)
  const leaf = await readSealedLeaf(log, position.log, place, entryId)
  if (!leaf) return { state: compareCursors(place, head.place) > 0 ? 'waiting' : 'broken' }
  const checkpoint = await readCovering(log, position.log, leaf)
  if (checkpoint === undefined) return { state: 'broken' }
  if (isSealedAs(row, leaf)) return { state: 'sealed', checkpoint, isErased: false, isArchived }
  const erasures = new Erasures(log, position, head.place)
  // the archive may have it as it was before its erasure
  const isErased =
    (await erasures.tellOf(row)) || (isArchived && (await erasures.tellOfAny([entryId])).has(entryId))
  return isErased ? { state: 'sealed', checkpoint, isErased, isArchived } : { state: 'broken' }
}

/** The number of the checkpoint that a leaf is proved by; undefined where its proof does not hold. */
async function readCovering(log: ReaderLog, name: string, leaf: SealedLeaf): Promise<number | undefined> {
  const stored = await readCheckpointOf(log, name, leaf.index)
  const checkpoint = parseCheckpoint(parseNote(stored?.note ?? '')?.text ?? '')
  if (!stored || !checkpoint || leaf.index >= checkpoint.size) return undefined
  const ranges = inclusionRanges(leaf.index, checkpoint.size)
  const tiles = await readTilesFor(log, name, ranges)
  try {
    const hashes = ranges.map((range) => tiles.hashOf(range))
    const root = rootOfInclusion(leaf.index, checkpoint.size, hashOfLeaf(leaf.bytes), hashes)
    return root?.equals(checkpoint.root) ? stored.number : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined // a tile is gone
    throw error
  }
}
