import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TileHashes, tilesFor } from '../../src/seal/subtrees.ts'
import { hashOfLeaf, RightEdge, type TileRoot, tileWidth } from '../../src/seal/tree.ts'
import {
  consistencyRanges,
  inclusionRanges,
  isConsistent,
  rootOfInclusion,
} from '../../src/seal/tree-proofs.ts'

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const leafOf = (index: number) => Buffer.from(`leaf ${index}`)

/** RFC 9162, section 2.1.1, word for word. */
function merkleTreeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0] as Buffer)
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return sha256(Buffer.from([1]), merkleTreeHash(leaves.slice(0, k)), merkleTreeHash(leaves.slice(k)))
}

/** RFC 9162, section 2.1.3.1. */
function path(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return m < k
    ? [...path(m, leaves.slice(0, k)), merkleTreeHash(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), merkleTreeHash(leaves.slice(0, k))]
}

/** RFC 9162, section 2.1.4.1. */
function subproof(m: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [merkleTreeHash(leaves)]
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), isWhole), merkleTreeHash(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), merkleTreeHash(leaves.slice(0, k))]
}

const largest = 700
const leaves = Array.from({ length: largest }, (_, index) => leafOf(index))
const tiles: TileRoot[] = []
const edges = [new RightEdge()]
for (const leaf of leaves) {
  const edge = (edges.at(-1) as RightEdge).copy()
  edge.append(hashOfLeaf(leaf), 0, (tile) => tiles.push(tile))
  edges.push(edge)
}
const rootOf = (size: number) => (edges[size] as RightEdge).root()

const hashes = new TileHashes()
for (let index = 0; index * tileWidth < largest; index++) {
  const part = leaves.slice(index * tileWidth, (index + 1) * tileWidth)
  hashes.add({ level: 0, index }, Buffer.concat(part.map(hashOfLeaf)))
}
hashes.add({ level: 1, index: 0 }, Buffer.concat(tiles.map(({ hash }) => hash)))

describe('the tree', () => {
  it('has the roots of RFC 9162 at every size', () => {
    for (let size = 0; size <= largest; size += size < 300 ? 1 : 17) {
      expect(rootOf(size).equals(merkleTreeHash(leaves.slice(0, size))), `size ${size}`).toBe(true)
    }
  })

  it('tells of each tile that becomes full', () => {
    expect(tiles.map(({ level, index }) => [level, index])).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(tiles[1]?.hash).toEqual(merkleTreeHash(leaves.slice(256, 512)))
  })

  it('goes on from its right edge, whatever was read of it', () => {
    for (const size of [1, 2, 3, 255, 256, 257, 511, 512, 513, 699]) {
      const edge = new RightEdge(size, hashes.rootsOf({ start: 0, end: size }))
      for (const leaf of leaves.slice(size)) edge.append(hashOfLeaf(leaf))
      expect(edge.root()).toEqual(rootOf(largest))
    }
  })

  it('grows by whole tiles, too', () => {
    const edge = new RightEdge()
    for (const { hash } of tiles) edge.append(hash, 1)
    for (const leaf of leaves.slice(512)) edge.append(hashOfLeaf(leaf))
    expect([edge.size, edge.root()]).toEqual([largest, rootOf(largest)])
  })

  it('becomes full at higher levels as well', () => {
    const told: string[] = []
    const edge = new RightEdge()
    for (let index = 0; index < 256 * 256; index++) {
      edge.append(hashOfLeaf(Buffer.from([])), 1, ({ level, index: at }) => told.push(`${level}/${at}`))
    }
    expect([told.length, told[0], told.at(-2), told.at(-1)]).toEqual([257, '2/0', '2/255', '3/0'])
  })
})

const sizes = fc
  .integer({ min: 1, max: largest })
  .chain((second) => fc.record({ second: fc.constant(second), first: fc.integer({ min: 0, max: second }) }))

describe('an inclusion proof', () => {
  it('is that of RFC 9162, and leads to the root', () => {
    const places = fc
      .integer({ min: 1, max: largest })
      .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }))
    fc.assert(
      fc.property(places, ({ size, index }) => {
        const proof = inclusionRanges(index, size).map((range) => hashes.hashOf(range))
        expect(proof).toEqual(path(index, leaves.slice(0, size)))
        const leaf = hashOfLeaf(leaves[index] as Buffer)
        expect(rootOfInclusion(index, size, leaf, proof)).toEqual(rootOf(size))
        if (index > 0) expect(rootOfInclusion(index - 1, size, leaf, proof)).not.toEqual(rootOf(size))
        expect(rootOfInclusion(index, size, leaf, [...proof, leaf])).toBeUndefined()
        if (proof.length > 0) {
          expect(rootOfInclusion(index, size, leaf, proof.slice(1))).not.toEqual(rootOf(size))
        }
        expect(rootOfInclusion(size, size, leaf, proof)).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })
})

describe('a consistency proof', () => {
  it('is that of RFC 9162, and holds for these two trees only', () => {
    fc.assert(
      fc.property(sizes, ({ first, second }) => {
        const [a, b] = [first, second].map((size) => ({ size, root: rootOf(size) })) as [
          { size: number; root: Buffer },
          { size: number; root: Buffer },
        ]
        const proof = consistencyRanges(first, second).map((range) => hashes.hashOf(range))
        if (first > 0) expect(proof).toEqual(subproof(first, leaves.slice(0, second), true))
        expect(isConsistent(a, b, proof)).toBe(true)
        const other = { size: second, root: sha256(b.root) }
        if (first > 0) expect(isConsistent(a, other, proof)).toBe(false)
        if (first > 0) expect(isConsistent({ ...a, root: other.root }, b, proof)).toBe(false)
        expect(isConsistent(a, b, [...proof, other.root])).toBe(false)
        if (first < second) expect(isConsistent(b, a, proof)).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})

describe('the tiles of ranges', () => {
  it('are those of the path only', () => {
    const tenMillion = 10_000_000
    const needed = tilesFor(inclusionRanges(1_234_567, tenMillion))
    expect(needed.map(({ level, index }) => `${level}/${index}`).sort()).toEqual([
      '0/39062',
      '0/4822',
      '1/152',
      '1/18',
      '2/0',
    ])
  })
})
