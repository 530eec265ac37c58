import { leafLength, saltLength } from '../leaf.ts'
import type { StoredLeaves } from './sealed-part.ts'

/** A segment, and what of it is taken for leaves of the tree. */
export interface TakenLeaves {
  readonly segment: StoredLeaves
  /** From its first leaf on. */
  readonly count: number
  /** Whether it has as many leaves and salts as it says. */
  readonly isWhole: boolean
  /** Whether it begins among leaves that were taken already: then none of it is. */
  readonly isDouble: boolean
}

/** Which leaves of segments, in the order of their first leaves, are taken. What is damaged takes no place of what follows it. */
export function takenLeaves(segments: readonly StoredLeaves[]): TakenLeaves[] {
  let next = Number.NEGATIVE_INFINITY
  return segments.map((segment, at) => {
    const { firstLeaf, entries, leaves, salts } = segment
    const isWhole =
      entries > 0 && leaves.length === entries * leafLength && salts?.length === entries * saltLength
    const isDouble = firstLeaf < next
    if (isDouble) return { segment, count: 0, isWhole, isDouble }
    const room = isWhole ? entries : (segments[at + 1]?.firstLeaf ?? Number.POSITIVE_INFINITY) - firstLeaf
    const count = Math.min(Math.floor(leaves.length / leafLength), room)
    next = firstLeaf + count
    return { segment, count, isWhole, isDouble }
  })
}
