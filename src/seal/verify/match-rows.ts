import type { KnownPosition } from '../../reader/eras.ts'
import { erasureIn } from '../erased-entry.ts'
import { commitmentOf, decodeLeaf, saltLength } from '../leaf.ts'
import type { SealedLeaf } from '../sealed-leaf.ts'
import { entryChanged, entryReordered, foundEntry } from './entry-findings.ts'
import type { FoundEntry, OnFinding } from './finding.ts'
import { parseForm, type RowValues, textIn } from './rows-between.ts'
import type { StoredLeaf } from './stored-leaf.ts'
import { checkPlaces } from './wrong-places.ts'

/** A row that is not what was sealed. */
export interface ChangedRow {
  readonly row: RowValues
  readonly leaf: StoredLeaf
}

/** Compares leaves with the rows that stand in their place. Both come in the order of readers, as long as nobody altered it. */
export class RowMatch {
  readonly #leaves: readonly StoredLeaf[]
  readonly #position: KnownPosition
  readonly #onFinding: OnFinding
  readonly #matched: Uint8Array
  /** The next leaf that has no row yet. */
  #next = 0
  /** By id, the leaves that had no row when the first row came out of place. */
  #byId: Map<string, number> | undefined
  readonly #stray: FoundEntry[] = []
  readonly #erased: ChangedRow[] = []

  constructor(leaves: readonly StoredLeaf[], position: KnownPosition, onFinding: OnFinding) {
    this.#leaves = leaves
    this.#position = position
    this.#onFinding = onFinding
    this.#matched = new Uint8Array(leaves.length)
  }

  /** @param form of a row */
  add(form: Buffer): void {
    const leaf = this.#leaves[this.#next]
    if (leaf && isFormSealedAs(form, leaf)) {
      if (leaf.place || leaf.lastOf) checkPlaces(parseForm(form), leaf, this.#position, this.#onFinding)
      this.#take(this.#next, true)
      return
    }
    const row = parseForm(form)
    const at = this.#find(textIn(row, 'id') ?? '')
    if (at === undefined) {
      this.#stray.push(foundEntry(row))
      return
    }
    const found = this.#leaves[at] as StoredLeaf
    const isIntact = isSealedAs(row, found)
    if (!isIntact && erasureIn(textIn(row, 'details'))) this.#erased.push({ row, leaf: found })
    else if (!isIntact) this.#onFinding(entryChanged(row, found))
    else if (at < this.#next) this.#onFinding(entryReordered(row, found))
    else checkPlaces(row, found, this.#position, this.#onFinding)
    this.#take(at, isIntact)
  }

  /** Rows that no leaf here is of. */
  get stray(): readonly FoundEntry[] {
    return this.#stray
  }

  /** Rows that are not what was sealed, and say that they were erased. */
  get erased(): readonly ChangedRow[] {
    return this.#erased
  }

  /** Leaves that no row came for. */
  get unmatched(): StoredLeaf[] {
    return this.#leaves.filter((_, at) => this.#matched[at] === 0)
  }

  /** A row that was changed may stand anywhere. Behind one that is intact all comes later: what was skipped is missing. */
  #take(at: number, isIntact: boolean): void {
    this.#matched[at] = 1
    if (isIntact && at >= this.#next) this.#next = at + 1
    while (this.#matched[this.#next] === 1) this.#next++
  }

  #find(id: string): number | undefined {
    this.#byId ??= new Map(this.#leaves.map(({ bytes }, at) => [decodeLeaf(bytes)?.id ?? '', at]))
    const at = this.#byId.get(id)
    return at === undefined || this.#matched[at] === 1 ? undefined : at
  }
}

/** Whether a row is exactly what was sealed. */
export function isSealedAs(row: RowValues, leaf: SealedLeaf): boolean {
  return isFormSealedAs(JSON.stringify(row), leaf)
}

function isFormSealedAs(form: string | Buffer, { bytes, salt }: SealedLeaf): boolean {
  return salt.length === saltLength && commitmentOf(salt, form).equals(bytes.subarray(25))
}
