import { type LeafRange, splitOf } from './subtrees.ts'
import { hashOfNode } from './tree.ts'

/** What the hashes of an inclusion proof are of, in its order: RFC 9162, section 2.1.3.1. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  return pathTo(index, { start: 0, end: size })
}

function pathTo(index: number, { start, end }: LeafRange): LeafRange[] {
  if (end - start === 1) return []
  const middle = start + splitOf(end - start)
  const [left, right] = [
    { start, end: middle },
    { start: middle, end },
  ]
  return index < middle ? [...pathTo(index, left), right] : [...pathTo(index, right), left]
}

/** What the hashes of a consistency proof are of, in its order: RFC 9162, section 2.1.4.1. None where the sizes are the same, or 0. */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  if (first === 0 || first === second) return []
  return consistencyPath(first, { start: 0, end: second }, true)
}

function consistencyPath(first: number, { start, end }: LeafRange, isWhole: boolean): LeafRange[] {
  if (first === end) return isWhole ? [] : [{ start, end }]
  const middle = start + splitOf(end - start)
  const [left, right] = [
    { start, end: middle },
    { start: middle, end },
  ]
  return first <= middle
    ? [...consistencyPath(first, left, isWhole), right]
    : [...consistencyPath(first, right, false), left]
}

/**
 * The root that an inclusion proof leads to: RFC 9162, section 2.1.3.2.
 *
 * @param leaf the hash of the leaf
 * @returns undefined for a proof that fits no such tree
 */
export function rootOfInclusion(
  index: number,
  size: number,
  leaf: Buffer,
  proof: readonly Buffer[],
): Buffer | undefined {
  if (index < 0 || index >= size) return undefined
  let [node, last, root] = [index, size - 1, leaf]
  for (const hash of proof) {
    if (last === 0) return undefined
    if (node % 2 === 1 || node === last) {
      root = hashOfNode(hash, root)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      root = hashOfNode(root, hash)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 ? root : undefined
}

/** Whether a tree begins with an earlier one, by a consistency proof: RFC 9162, section 2.1.4.2. */
export function isConsistent(
  first: { readonly size: number; readonly root: Buffer },
  second: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (first.size > second.size) return false
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root)
  if (first.size === 0) return proof.length === 0
  const [start, ...path] = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof
  if (!start) return false
  let [node, last] = [first.size - 1, second.size - 1]
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)]
  let [firstRoot, secondRoot] = [start, start]
  for (const hash of path) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      firstRoot = hashOfNode(hash, firstRoot)
      secondRoot = hashOfNode(hash, secondRoot)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      secondRoot = hashOfNode(secondRoot, hash)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && firstRoot.equals(first.root) && secondRoot.equals(second.root)
}

function isPowerOfTwo(size: number): boolean {
  return 2 ** Math.round(Math.log2(size)) === size
}
