import type { TileHashes } from '../subtrees.ts'
import { hashOfLeaf, RightEdge, type TileRoot, tileWidth } from '../tree.ts'
import type { OnFinding } from './finding.ts'

/**
 * The tree of the leaves, computed anew, beside one with the stored roots of tiles. Where the two differ, the next checkpoint
 * tells which one is right, and it goes on with that: one altered leaf spoils no later checkpoint.
 */
export class TreeCheck {
  readonly #onFinding: OnFinding
  /** Of the leaves. */
  #computed: RightEdge
  /** Both as they were behind the last full tile. */
  #computedTiles: RightEdge
  #storedTiles: RightEdge
  /** The hashes of the leaves since. */
  #tail: Buffer[]
  /** Tiles whose stored root is not that of their leaves, since the last checkpoint that fits. */
  #differing: TileRoot[] = []

  /** @param hashes of what is there up to `size` and is not checked */
  constructor(size: number, hashes: TileHashes, onFinding: OnFinding) {
    const full = size - (size % tileWidth)
    this.#storedTiles = new RightEdge(full, hashes.rootsOf({ start: 0, end: full }))
    this.#computedTiles = this.#storedTiles
    this.#tail = Array.from({ length: size - full }, (_, at) =>
      hashes.hashOf({ start: full + at, end: full + at + 1 }),
    )
    this.#computed = withTail(this.#storedTiles, this.#tail)
    this.#onFinding = onFinding
  }

  get size(): number {
    return this.#computed.size
  }

  /** @param roots the stored roots of tiles, by `level/index` */
  add(leaf: Buffer, roots: ReadonlyMap<string, Buffer>): void {
    const hash = hashOfLeaf(leaf)
    let isFull = false
    this.#tail.push(hash)
    this.#computed.append(hash, 0, (tile) => {
      const root = roots.get(`${tile.level}/${tile.index}`)
      if (!root?.equals(tile.hash)) this.#differing.push(tile)
      if (tile.level > 1) return
      isFull = true
      this.#storedTiles = this.#storedTiles.copy()
      this.#storedTiles.append(root ?? tile.hash, 1)
    })
    if (!isFull) return
    this.#computedTiles = this.#computed.copy()
    this.#tail = []
  }

  /** Whether this is the root of the tree as it is now, by its leaves or by its tiles. */
  has(root: Buffer): boolean {
    if (this.#computed.root().equals(root)) return true
    return this.#differing.length > 0 && withTail(this.#storedTiles, this.#tail).root().equals(root)
  }

  /** Whether a checkpoint is of the tree as it is now. If so, says what was altered of what is stored. */
  fits(root: Buffer): boolean {
    if (this.#computed.root().equals(root)) {
      for (const { level, index } of this.#differing) {
        const leaves = leavesOfTile(level, index)
        this.#onFinding({
          ...{ kind: 'tile', leaves },
          message: `The stored root of tile ${index} at level ${level}, leaves ${leaves.first} to ${leaves.last}, is gone or is not that of its leaves`,
        })
      }
      this.#storedTiles = this.#computedTiles
    } else if (this.#differing.length > 0 && withTail(this.#storedTiles, this.#tail).root().equals(root)) {
      for (const { index } of this.#differing.filter(({ level }) => level === 1)) {
        const leaves = leavesOfTile(1, index)
        this.#onFinding({
          ...{ kind: 'leaf', leaves },
          message: `One or more of the leaves ${leaves.first} to ${leaves.last} are not those that were sealed: their entries are not proven`,
        })
      }
      this.#computedTiles = this.#storedTiles
      this.#computed = withTail(this.#storedTiles, this.#tail)
    } else {
      return false
    }
    this.#differing = []
    return true
  }
}

function withTail(edge: RightEdge, tail: readonly Buffer[]): RightEdge {
  const whole = edge.copy()
  for (const hash of tail) whole.append(hash)
  return whole
}

function leavesOfTile(level: number, index: number): { first: number; last: number } {
  const width = tileWidth ** level
  return { first: index * width, last: (index + 1) * width - 1 }
}
