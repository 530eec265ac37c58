import { tileWidth } from '../tree.ts'
import type { Finding } from './finding.ts'
import type { SealedPart } from './sealed-part.ts'
import { type TakenLeaves, takenLeaves } from './taken-leaves.ts'

/** Where leaves of a part, or their salts, are not there from its start to its end, each once. */
export function damagedLeaves({ segments, straySalts }: SealedPart, start: number, end: number): Finding[] {
  const findings: Finding[] = []
  const add = (from: number, until: number, state: string) => {
    const leaves = { first: from, last: Math.max(from, until - 1) }
    const message = `The leaves ${leaves.first} to ${leaves.last}${state}`
    findings.push({ kind: 'leaf', leaves, message })
  }
  const all = takenLeaves(segments)
  let expected = start
  for (const taken of all) {
    const { firstLeaf, entries } = taken.segment
    if (firstLeaf > expected) add(expected, firstLeaf, ' are gone')
    const damage = damageOf(taken)
    if (damage !== undefined) add(firstLeaf, firstLeaf + entries, damage)
    if (!taken.isDouble) expected = firstLeaf + taken.count
  }
  if (end > expected) add(expected, end, ' are gone')
  for (const first of straySalts) {
    const isAmong = all.some(
      ({ segment: { firstLeaf }, count }) => first > firstLeaf && first < firstLeaf + count,
    )
    if (!isAmong) continue // their leaves are gone, which was said
    const message = `There are salts from leaf ${first} on, where no step of sealing began: somebody has added or moved them`
    findings.push({ kind: 'leaf', leaves: { first, last: first }, message })
  }
  return findings
}

function damageOf({ segment, isWhole, isDouble }: TakenLeaves): string | undefined {
  if (isDouble) return ' were stored once more: somebody has added or moved them'
  if (!isWhole) return ', or their salts, are damaged or gone'
  // nobody would find their hashes
  const isInOneTile = (segment.firstLeaf % tileWidth) + segment.entries <= tileWidth
  return isInOneTile ? undefined : ' are stored together, and lie in two tiles'
}
