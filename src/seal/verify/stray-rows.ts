import { entryAdded } from './entry-findings.ts'
import type { FoundEntry, OnFinding } from './finding.ts'

/** How many rows are kept until it is known whether they are new or were moved. */
const mostKept = 10_000

/** Rows without a leaf where they stand: they were added, but for those that are found for a leaf elsewhere. */
export class StrayRows {
  readonly #onFinding: OnFinding
  readonly #stray = new Map<string, FoundEntry>()
  /** Ids of rows that were found for a leaf elsewhere. */
  readonly #moved = new Set<string>()
  #hasAllLeaves = true

  constructor(onFinding: OnFinding) {
    this.#onFinding = onFinding
  }

  add(entry: FoundEntry): void {
    if (this.#moved.has(entry.id)) return
    if (this.#stray.size < mostKept && !this.#stray.has(entry.id)) this.#stray.set(entry.id, entry)
    else this.#onFinding(entryAdded(entry, this.#hasAllLeaves))
  }

  /** The row of this id was found for a leaf elsewhere, and is named there. */
  move(id: string): void {
    if (this.#moved.size < mostKept) this.#moved.add(id)
  }

  /** Some of the leaves are gone, so that a row without one need not have been added. */
  loseLeaves(): void {
    this.#hasAllLeaves = false
  }

  /** Names those that no leaf was found for. */
  end(): void {
    for (const entry of this.#stray.values()) {
      if (!this.#moved.has(entry.id)) this.#onFinding(entryAdded(entry, this.#hasAllLeaves))
    }
  }
}
