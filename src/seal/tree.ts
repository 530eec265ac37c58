import { sha256Of } from './sha256.ts'

/** The Merkle tree of RFC 9162, section 2.1, with SHA-256. A hash has 32 bytes. */
export const hashLength = 32

const treeHeightOfTile = 8

/** How many hashes a tile holds (C2SP tlog-tiles). */
export const tileWidth = 2 ** treeHeightOfTile

const pair = Buffer.alloc(1 + 2 * hashLength, 1)

/** SHA-256(0x00 ‖ leaf). */
export function hashOfLeaf(leaf: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + leaf.length)
  bytes[0] = 0
  bytes.set(leaf, 1)
  return sha256Of(bytes)
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function hashOfNode(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1)
  pair.set(right, 1 + hashLength)
  return sha256Of(pair)
}

/** The root of the tree without a leaf. */
const rootOfNone = sha256Of(Buffer.alloc(0))

/** The root of a full tile: at level 1 of 256 leaves, at level 2 of 65,536, and so on. */
export interface TileRoot {
  readonly level: number
  readonly index: number
  readonly hash: Buffer
}

/**
 * A tree that only grows, as its right edge: the roots of the full binary subtrees that it consists of, from the largest on.
 * Their sizes are the powers of two that add up to the tree's size.
 */
export class RightEdge {
  #size: number
  readonly #roots: Buffer[]

  /** @param roots of the subtrees of a tree of that size, from the left */
  constructor(size = 0, roots: readonly Buffer[] = []) {
    this.#size = size
    this.#roots = [...roots]
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size
  }

  copy(): RightEdge {
    return new RightEdge(this.#size, this.#roots)
  }

  /**
   * Adds a leaf, or at a higher level the root of a full tile of the same size.
   *
   * @param onTile told of each tile that has become full
   */
  append(added: Buffer, tileLevel = 0, onTile?: (tile: TileRoot) => void): void {
    let current = added
    let level = tileLevel * treeHeightOfTile
    let index = this.#size / 2 ** level
    while (index % 2 === 1) {
      current = hashOfNode(this.#roots.pop() as Buffer, current)
      index = (index - 1) / 2
      level++
      if (level % treeHeightOfTile === 0) onTile?.({ level: level / treeHeightOfTile, index, hash: current })
    }
    this.#roots.push(current)
    this.#size += tileWidth ** tileLevel
  }

  /** The Merkle tree hash. */
  root(): Buffer {
    const [last, ...others] = this.#roots.toReversed()
    if (!last) return rootOfNone
    return others.reduce((right, left) => hashOfNode(left, right), last)
  }
}
