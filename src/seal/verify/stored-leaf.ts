import type { ReaderCursor } from '../../reader/cursor.ts'
import { leafLength, saltLength } from '../leaf.ts'
import type { SealedLeaf } from '../sealed-leaf.ts'
import type { StoredCheckpoint } from '../stored-checkpoint.ts'
import type { StoredLeaves } from './sealed-part.ts'
import { takenLeaves } from './taken-leaves.ts'

/** A leaf, and what is said of its place. */
export interface StoredLeaf extends SealedLeaf {
  /** Where its entry is said to stand; undefined for all but the first of a step. */
  readonly place: ReaderCursor | undefined
  /** The checkpoint that it is the last leaf of; undefined for most. */
  lastOf?: Pick<StoredCheckpoint, 'number' | 'place'> | undefined
}

/** The leaves of segments that are taken, one after the other. Where the salts are gone they are of no length. */
export function leavesIn(segments: readonly StoredLeaves[]): StoredLeaf[] {
  return takenLeaves(segments).flatMap(({ segment, count }) => {
    const { firstLeaf, leaves, salts = Buffer.alloc(0), place } = segment
    return Array.from({ length: count }, (_, at) => ({
      index: firstLeaf + at,
      bytes: leaves.subarray(at * leafLength, (at + 1) * leafLength),
      salt: salts.subarray(at * saltLength, (at + 1) * saltLength),
      place: at === 0 ? place : undefined,
    }))
  })
}
