import { checkpointsBetween, type StoredCheckpoint } from '../stored-checkpoint.ts'
import { CheckpointCheck, type TrustedKeys } from './checkpoint-check.ts'
import type { OnFinding } from './finding.ts'
import type { SealedLog } from './sealed-log.ts'
import type { TreeCheck } from './tree-check.ts'

/** Compares each checkpoint with the tree, when that has become as large. */
export class CheckpointWalk {
  readonly #tree: TreeCheck
  readonly #onFinding: OnFinding
  readonly #checkpoints: AsyncGenerator<StoredCheckpoint, void, void>
  readonly #check: CheckpointCheck
  #next: StoredCheckpoint | undefined
  #checked = 0
  #newest: number
  #fitting: StoredCheckpoint | undefined

  private constructor(log: SealedLog, trusted: TrustedKeys, tree: TreeCheck, onFinding: OnFinding) {
    const { position, head, since } = log
    this.#tree = tree
    this.#onFinding = onFinding
    // from below the first one, as somebody may have added others there
    const after = since?.number ?? Number.MIN_SAFE_INTEGER
    this.#checkpoints = checkpointsBetween(log, position.log, after, head?.number ?? 0)
    this.#check = new CheckpointCheck(trusted, since ?? { number: 0, size: 0 })
    this.#newest = since?.size ?? 0
    this.#fitting = since
  }

  /** Begins with the checkpoint `since`, which has to be signed, and of the tree that is there. */
  static async begin(
    log: SealedLog,
    trusted: TrustedKeys,
    tree: TreeCheck,
    onFinding: OnFinding,
  ): Promise<CheckpointWalk> {
    const walk = new CheckpointWalk(log, trusted, tree, onFinding)
    const { since } = log
    if (since) walk.#fits(since, new CheckpointCheck(trusted, { number: since.number - 1, size: 0 }))
    await walk.#advance()
    return walk
  }

  /** The size of the next one; Infinity behind the last. */
  get next(): number {
    return this.#next?.size ?? Number.POSITIVE_INFINITY
  }

  /** The size of the newest one so far. */
  get newest(): number {
    return this.#newest
  }

  get checked(): number {
    return this.#checked
  }

  /** The newest one so far that fits, or that nothing was checked before; undefined where there is none. */
  get fitting(): StoredCheckpoint | undefined {
    return this.#fitting
  }

  /**
   * Checks those that are not larger than the tree is now.
   *
   * @returns the one that can be believed to be of exactly this tree; undefined where none is
   */
  async compare(): Promise<StoredCheckpoint | undefined> {
    let believed: StoredCheckpoint | undefined
    for (; this.#next && this.#next.size <= this.#tree.size; await this.#advance()) {
      if (this.#fits(this.#next, this.#check)) believed = this.#next
      this.#newest = this.#next.size
    }
    return believed
  }

  /** Those for which the tree never became large enough. */
  async end(): Promise<void> {
    for (; this.#next; await this.#advance()) this.#fits(this.#next, this.#check)
  }

  async #advance(): Promise<void> {
    do this.#next = (await this.#checkpoints.next()).value ?? undefined
    while (this.#next && this.#next.number < 1 && !this.#fits(this.#next, this.#check))
  }

  /** Whether a checkpoint can be believed. If not, says why. */
  #fits(checkpoint: StoredCheckpoint, check: CheckpointCheck): boolean {
    const { number, size } = checkpoint
    this.#checked++
    const problem = check.problemOf(checkpoint) ?? this.#problemOfRoot(checkpoint)
    if (problem === undefined) {
      this.#fitting = checkpoint
      return true
    }
    const last = this.#fitting?.size ?? 0
    this.#onFinding({
      ...{ kind: 'checkpoint', checkpoint: number },
      message: `Checkpoint ${number} can't be believed: ${problem}`,
      ...(last < size ? { leaves: { first: last, last: size - 1 } } : {}),
    })
    return false
  }

  #problemOfRoot({ size, root }: StoredCheckpoint): string | undefined {
    const tree = this.#tree
    if (size > tree.size) return `it covers ${size} entries, and there are ${tree.size} leaves`
    if (size < tree.size || !tree.fits(root)) {
      return `the tree has another root at ${size} entries. Either the checkpoint was altered, or leaves since the last one that fits`
    }
    return undefined
  }
}
