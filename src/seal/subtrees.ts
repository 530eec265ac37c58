import { hashLength, hashOfNode, tileWidth } from './tree.ts'

/** Leaves from `start` on, up to `end`, which is not included. */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** A full binary subtree: of 2 ** level leaves, and the index-th of its level. */
export interface FullSubtree {
  readonly level: number
  readonly index: number
}

/** A tile of 256 hashes: at level 0 of leaves, at level 1 of the roots of the tiles at level 0, and so on. */
export interface Tile {
  readonly level: number
  readonly index: number
}

/** The largest power of two below a size of 2 or more. */
export function splitOf(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/** The full subtrees that a range consists of, from the left. Its start is a multiple of the largest. */
export function fullSubtreesOf({ start, end }: LeafRange): FullSubtree[] {
  const found: FullSubtree[] = []
  for (let at = start; at < end; ) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++
    found.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return found
}

/** The tile that has what a subtree's root is computed from. */
export function tileOf({ level, index }: FullSubtree): Tile {
  const tileLevel = Math.floor(level / 8)
  return { level: tileLevel, index: Math.floor((index * 2 ** (level % 8)) / tileWidth) }
}

/** The tiles for the hashes of ranges, each once. */
export function tilesFor(ranges: readonly LeafRange[]): Tile[] {
  const tiles = new Map(
    ranges
      .flatMap(fullSubtreesOf)
      .map(tileOf)
      .map((tile) => [tileName(tile), tile]),
  )
  return [...tiles.values()]
}

/** Tiles as far as they were read, and the hashes that follow from them. */
export class TileHashes {
  readonly #tiles = new Map<string, Buffer>()

  /** @param hashes one after the other, as many as there are */
  add(tile: Tile, hashes: Buffer): void {
    this.#tiles.set(tileName(tile), hashes)
  }

  /** The Merkle tree hash of a range: RFC 9162's MTH(D[start:end]). */
  hashOf(range: LeafRange): Buffer {
    const [last, ...others] = this.rootsOf(range).toReversed()
    return others.reduce((right, left) => hashOfNode(left, right), last as Buffer)
  }

  /** The roots of the full subtrees that a range consists of, from the left. */
  rootsOf(range: LeafRange): Buffer[] {
    return fullSubtreesOf(range).map((subtree) => this.#rootOf(subtree))
  }

  #rootOf({ level, index }: FullSubtree): Buffer {
    if (level % 8 > 0) {
      const below = { level: level - 1, index: index * 2 }
      return hashOfNode(this.#rootOf(below), this.#rootOf({ ...below, index: below.index + 1 }))
    }
    const tile = tileOf({ level, index })
    const at = (index % tileWidth) * hashLength
    const found = this.#tiles.get(tileName(tile))?.subarray(at, at + hashLength)
    if (found?.length === hashLength) return found
    throw new RangeError(`The tile ${tileName(tile)} has no hash ${index % tileWidth}`)
  }
}

function tileName({ level, index }: Tile): string {
  return `${level}/${index}`
}
