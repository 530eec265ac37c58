import { leafLength, saltLength } from '../leaf.ts'
import type { Finding } from './finding.ts'
import type { SealedPart } from './sealed-part.ts'

/** Where leaves of a part, or their salts, are not there from its start to its end, each once. */
export function damagedLeaves({ segments }: SealedPart, start: number, end: number): Finding[] {
  const findings: Finding[] = []
  const add = (from: number, until: number, state: string) => {
    const leaves = { first: from, last: until - 1 }
    const message = `The leaves ${leaves.first} to ${leaves.last}${state}`
    findings.push({ kind: 'leaf', leaves, message })
  }
  let expected = start
  for (const { firstLeaf, entries, leaves, salts } of segments) {
    if (firstLeaf > expected) add(expected, firstLeaf, ' are gone')
    const isWhole =
      firstLeaf >= expected &&
      leaves.length === entries * leafLength &&
      salts?.length === entries * saltLength
    if (!isWhole) add(firstLeaf, firstLeaf + entries, ', or their salts, are damaged or gone')
    expected = Math.max(expected, firstLeaf + Math.floor(leaves.length / leafLength))
  }
  if (end > expected) add(expected, end, ' are gone')
  return findings
}
