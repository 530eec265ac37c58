import { readCheckpointOf } from '../stored-checkpoint.ts'
import type { Finding } from './finding.ts'
import type { SealedLog } from './sealed-log.ts'

const mostListed = 1_000

/** How many rows are known to be changed, at most. */
const mostKept = 10_000

/** All that was found, in the order in which it was. */
export class FindingList {
  readonly #log: SealedLog
  readonly #listed: Finding[] = []
  #found = 0
  /** Those of which it is not known yet which checkpoint proves them. */
  #unnamed: Finding[] = []
  /** The leaves that one checkpoint is the first to cover, from the one that was asked for on. */
  #covered: { readonly from: number; readonly size: number; readonly number: number } | undefined
  /** Ids of rows that are said to be changed: what tells of their erasure would say so once more. */
  readonly #changed = new Set<string>()

  constructor(log: SealedLog) {
    this.#log = log
  }

  /** The first of them; how many there are says {@link found}. */
  get listed(): readonly Finding[] {
    return this.#listed
  }

  get found(): number {
    return this.#found
  }

  /** An arrow function, so that it can be handed on. */
  readonly add = (finding: Finding): void => {
    if (finding.kind === 'changed' && finding.entry) {
      if (this.#changed.has(finding.entry.id)) return
      if (this.#changed.size < mostKept) this.#changed.add(finding.entry.id)
    }
    if (finding.leaves && finding.checkpoint === undefined) this.#unnamed.push(finding)
    else this.#list(finding)
  }

  /** Says which checkpoint proves what was found: the first one that covers it. */
  async nameCheckpoints(): Promise<void> {
    const findings = this.#unnamed
    this.#unnamed = []
    for (const finding of findings) {
      const leaf = finding.leaves?.last ?? 0
      if (!this.#covered || leaf < this.#covered.from || leaf >= this.#covered.size) {
        const found = await readCheckpointOf(this.#log, this.#log.position.log, leaf)
        this.#covered = found && { from: leaf, size: found.size, number: found.number }
      }
      this.#list(this.#covered ? { ...finding, checkpoint: this.#covered.number } : finding)
    }
  }

  #list(finding: Finding): void {
    this.#found++
    if (this.#listed.length < mostListed) this.#listed.push(finding)
  }
}
