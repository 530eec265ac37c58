import { readTilesFor } from '../stored-tiles.ts'
import { TileHashes } from '../subtrees.ts'
import type { OnFinding } from './finding.ts'
import type { SealedLog } from './sealed-log.ts'
import { TreeCheck } from './tree-check.ts'

/** The tree as it is stored up to the checkpoint to begin with. Where it is not whole, which is a finding, it has no leaf. */
export async function readTreeSince(log: SealedLog, onFinding: OnFinding): Promise<TreeCheck> {
  const { number, size } = log.since ?? { number: 0, size: 0 }
  const hashes = await readTilesFor(log, log.position.log, [{ start: 0, end: size }])
  try {
    return new TreeCheck(size, hashes, onFinding)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = `The tree up to checkpoint ${number} is not whole: ${error.message}`
    onFinding({ kind: 'tile', message, leaves: { first: 0, last: size - 1 } })
    return new TreeCheck(0, new TileHashes(), onFinding)
  }
}
