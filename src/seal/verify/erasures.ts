import { hash } from 'node:crypto'
import { compareCursors, type ReaderCursor } from '../../reader/cursor.ts'
import type { ReaderPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { erasureIn, isErasure, parseErased } from '../erased-entry.ts'
import { readSealedLeaf } from '../sealed-leaf.ts'
import { foundEntry } from './entry-findings.ts'
import type { OnFinding } from './finding.ts'
import { isSealedAs } from './match-rows.ts'
import { ownPlaceOf, type RowValues, readRowsById, textIn } from './rows-between.ts'

/** Entries by id, with the SHA-256 of what each has become. */
type Erased = ReadonlyMap<string, string>

/** How many lists of erased entries are kept: rows that were erased together mostly stand together. */
const mostKept = 8

/** What entries `auditLog.erase` tell of erased entries. One that was altered, or added among sealed ones, tells nothing. */
export class Erasures {
  readonly #log: ReaderLog
  readonly #position: ReaderPosition
  readonly #sealedPlace: ReaderCursor
  readonly #kept = new Map<string, Erased>()

  /** @param sealedPlace the place behind all that is sealed */
  constructor(log: ReaderLog, position: ReaderPosition, sealedPlace: ReaderCursor) {
    this.#log = log
    this.#position = position
    this.#sealedPlace = sealedPlace
  }

  /** Whether a row is exactly what the entry that it names says it has become. */
  async tellOf(row: RowValues): Promise<boolean> {
    const erasure = erasureIn(textIn(row, 'details'))
    if (erasure === undefined) return false
    const erased = await this.#erasedBy(erasure)
    return erased.get(textIn(row, 'id') ?? '') === hashOfRow(row)
  }

  /** Whether all that an entry tells of is still so, or was erased further by a later one. */
  async check(row: RowValues, onFinding: OnFinding): Promise<void> {
    const id = textIn(row, 'id') ?? ''
    const erased = await this.#erasedBy(id, row)
    const ids = [...erased.keys()]
    for (let at = 0; at < ids.length; at += 1_000) {
      for (const found of await readRowsById(this.#log, ids.slice(at, at + 1_000))) {
        if (hashOfRow(found) === erased.get(textIn(found, 'id') ?? '') || (await this.tellOf(found))) continue
        const entry = foundEntry(found)
        const message = `Entry ${entry.id} was erased, and is no longer what the entry ${id} says it has become`
        onFinding({ kind: 'changed', entry, message })
      }
    }
  }

  async #erasedBy(id: string, known?: RowValues): Promise<Erased> {
    const kept = this.#kept.get(id)
    if (kept) return kept
    const [row] = known ? [known] : await readRowsById(this.#log, [id])
    const erased = row && (await this.#isBelieved(row)) ? parseErased(textIn(row, 'details')) : new Map()
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(id, erased)
    return erased
  }

  /** It is sealed as it is, or stands behind all that is sealed. */
  async #isBelieved(row: RowValues): Promise<boolean> {
    const text = (name: Parameters<typeof textIn>[1]) => textIn(row, name) ?? ''
    if (!isErasure({ action: text('action'), resource_type: text('resource_type') })) return false
    const place = ownPlaceOf(row, this.#position)
    if (compareCursors(place, this.#sealedPlace) > 0) return true
    const leaf = await readSealedLeaf(this.#log, this.#position.log, place, text('id'))
    return leaf !== undefined && isSealedAs(row, leaf)
  }
}

function hashOfRow(row: RowValues): string {
  return hash('sha256', JSON.stringify(row), 'hex')
}
