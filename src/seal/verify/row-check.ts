import { lacksArchive } from '../../reader/reader-log.ts'
import { erasureIn } from '../erased-entry.ts'
import { idInLeaf, seqInLeaf } from '../leaf.ts'
import { entryChanged, entryMissing, entryReordered } from './entry-findings.ts'
import { ErasureCheck } from './erasure-check.ts'
import type { OnFinding } from './finding.ts'
import { type ChangedRow, isSealedAs, RowMatch } from './match-rows.ts'
import {
  archivedValues,
  parseForm,
  type RowsInPlace,
  type RowValues,
  readRowsById,
  textIn,
} from './rows-between.ts'
import { readRowsWithoutPlace } from './rows-without-place.ts'
import type { SealedLog } from './sealed-log.ts'
import type { StoredLeaf } from './stored-leaf.ts'
import { StrayRows } from './stray-rows.ts'
import { checkPlaces } from './wrong-places.ts'

/** How many rows are looked for at a time. */
const step = 1_000

/** Compares all rows with their leaves, part after part: those that stand in place, that were moved, archived or erased. */
export class RowCheck {
  readonly #log: SealedLog
  readonly #onFinding: OnFinding
  readonly #stray: StrayRows
  readonly #erasures: ErasureCheck
  /** The part at hand; undefined before the first. */
  #match: RowMatch | undefined
  #lacksArchive: Promise<boolean> | undefined
  #leaves = 0
  #archived = 0

  constructor(log: SealedLog, onFinding: OnFinding) {
    this.#log = log
    this.#onFinding = onFinding
    this.#stray = new StrayRows(onFinding)
    this.#erasures = new ErasureCheck(log, onFinding)
  }

  /**
   * How many leaves were compared with their rows; of these rows, how many are in the archive, how many were erased, and how many of
   * these are as before in the archive.
   */
  get counts(): Record<'leaves' | 'archived' | 'erased' | 'unerased', number> {
    const { erased, unerased } = this.#erasures
    return { leaves: this.#leaves, archived: this.#archived, erased, unerased }
  }

  /** Some of the leaves are gone, which is a finding of its own. */
  loseLeaves(): void {
    this.#stray.loseLeaves()
  }

  /** The leaves that the next rows stand in the place of. */
  beginPart(leaves: readonly StoredLeaf[]): void {
    this.#leaves += leaves.length
    this.#match = new RowMatch(leaves, this.#log.position, this.#onFinding)
  }

  async add({ forms, mayTell }: RowsInPlace): Promise<void> {
    for (const form of await forms()) {
      this.#match?.add(form)
      if (mayTell) this.#erasures.see(parseForm(form))
    }
  }

  /** Rows that did not come where their leaf is, and leaves that no row came for. */
  async endPart(): Promise<void> {
    if (!this.#match) return
    const { stray, erased, unmatched } = this.#match
    for (const entry of stray) this.#stray.add(entry)
    for (const row of erased) await this.#erasures.checkErased(row)
    await this.#erasures.checkTelling()
    for (let at = 0; at < unmatched.length; at += step) await this.#lookFor(unmatched.slice(at, at + step))
    await this.#erasures.checkTelling()
  }

  /** Behind the last part. */
  async checkUnsealedErasures(): Promise<void> {
    await this.#erasures.checkUnsealed()
  }

  /** Once every leaf has been looked at: the rows that none is of. */
  async end(): Promise<void> {
    for (const entry of await readRowsWithoutPlace(this.#log)) this.#stray.add(entry)
    this.#stray.end()
  }

  /** A row that did not come in its place is in another one, in the archive, or gone. */
  async #lookFor(leaves: readonly StoredLeaf[]): Promise<void> {
    const ids = leaves.map(({ bytes }) => idInLeaf(bytes))
    const rows = new Map((await readRowsById(this.#log, ids)).map((row) => [textIn(row, 'id'), row]))
    const archived = await this.#archivedOf(leaves.filter((_, at) => !rows.has(ids[at] as string)))
    const changed: ChangedRow[] = []
    for (const [at, leaf] of leaves.entries()) {
      const id = ids[at] as string
      const row = rows.get(id)
      const kept = archived.get(id)
      if (row) {
        this.#stray.move(id)
        if (isSealedAs(row, leaf)) this.#onFinding(entryReordered(row, leaf))
        else if (erasureIn(textIn(row, 'details'))) await this.#erasures.checkMoved({ row, leaf })
        else this.#onFinding(entryChanged(row, leaf))
      } else if (kept) {
        this.#archived++
        this.#erasures.see(kept)
        if (!isSealedAs(kept, leaf)) changed.push({ row: kept, leaf })
        else checkPlaces(kept, leaf, this.#log.position, this.#onFinding)
      } else {
        this.#onFinding(entryMissing(leaf, await this.#mayBeArchived()))
      }
    }
    await this.#erasures.checkArchived(changed)
  }

  /** By id, the rows of leaves as the archive has them. */
  async #archivedOf(leaves: readonly StoredLeaf[]): Promise<ReadonlyMap<string, RowValues>> {
    const { archive } = this.#log
    if (leaves.length === 0 || !archive) return new Map()
    const entries = await archive.bySeqs(leaves.map(({ bytes }) => seqInLeaf(bytes)))
    return new Map(entries.map((entry) => [entry.row.id, archivedValues(entry)]))
  }

  /** Whether months have left for an archive that is not at hand. */
  #mayBeArchived(): Promise<boolean> {
    this.#lacksArchive ??= lacksArchive(this.#log)
    return this.#lacksArchive
  }
}
