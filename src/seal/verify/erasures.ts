import { hash } from 'node:crypto'
import type { EntryPlace } from '../../archive-contract.ts'
import { quoteTable } from '../../postgres/identifiers.ts'
import { compareCursors, type ReaderCursor } from '../../reader/cursor.ts'
import type { KnownPosition } from '../../reader/eras.ts'
import { lacksArchive, type ReaderLog } from '../../reader/reader-log.ts'
import { erasing, erasureIn, isErasure, parseErased } from '../erased-entry.ts'
import { readSealedLeaf } from '../sealed-leaf.ts'
import { foundEntry } from './entry-findings.ts'
import type { OnFinding } from './finding.ts'
import { isSealedAs } from './match-rows.ts'
import { ownPlaceOf, type RowValues, readRowOfBoth, readRowsById, textIn } from './rows-between.ts'

/** What an entry `auditLog.erase` tells of. */
interface Telling {
  readonly id: string
  /** Entries by id, with the SHA-256 of what each has become. */
  readonly erased: ReadonlyMap<string, string>
  /** Whether it is sealed as it is, or stands behind all that is sealed. */
  readonly isBelieved: boolean
}

/** How many lists of erased entries are kept: rows that were erased together mostly stand together. */
const mostKept = 8

/** How many archived erasures are held at a time: each may be long. */
const archivedAtOnce = 20

/** What entries `auditLog.erase` tell of erased entries. One that was altered, or added among sealed ones, tells nothing. */
export class Erasures {
  readonly #log: ReaderLog
  readonly #position: KnownPosition
  readonly #sealedPlace: ReaderCursor
  readonly #kept = new Map<string, Telling>()
  #archived: Promise<ReadonlyMap<string, readonly string[]>> | undefined

  /** @param sealedPlace the place behind all that is sealed */
  constructor(log: ReaderLog, position: KnownPosition, sealedPlace: ReaderCursor) {
    this.#log = log
    this.#position = position
    this.#sealedPlace = sealedPlace
  }

  /** Whether a row is exactly what the entry that it names says it has become. */
  async tellOf(row: RowValues): Promise<boolean> {
    return (await this.#tellingExactlyOf(row))?.isBelieved === true
  }

  /** The entry that says exactly this of a row, and is itself not what was sealed. */
  async disbelievedOf(row: RowValues): Promise<string | undefined> {
    const telling = await this.#tellingExactlyOf(row)
    return telling?.isBelieved === false ? telling.id : undefined
  }

  async #tellingExactlyOf(row: RowValues): Promise<Telling | undefined> {
    const erasure = erasureIn(textIn(row, 'details'))
    const telling = erasure === undefined ? undefined : await this.#telling(erasure)
    return telling?.erased.get(textIn(row, 'id') ?? '') === hashOfRow(row) ? telling : undefined
  }

  /** Whether all that an entry tells of is still so, or was erased further by a later one. */
  async check(row: RowValues, onFinding: OnFinding): Promise<void> {
    const id = textIn(row, 'id') ?? ''
    const { erased, isBelieved } = await this.#telling(id, row)
    const ids = isBelieved ? [...erased.keys()] : []
    for (let at = 0; at < ids.length; at += 1_000) {
      for (const found of await readRowsById(this.#log, ids.slice(at, at + 1_000))) {
        if (hashOfRow(found) === erased.get(textIn(found, 'id') ?? '') || (await this.tellOf(found))) continue
        const entry = foundEntry(found)
        const why = (await this.#isSealed(found))
          ? `: it is as it was sealed, so either its values and its salt were put back, or ${id} is forged`
          : ''
        const message = `Entry ${entry.id} was erased, and is no longer what the entry ${id} says it has become${why}`
        onFinding({ kind: 'changed', entry, message })
      }
    }
  }

  /** Which of these entries an erasure tells of, whatever they are now. */
  async tellOfAny(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const told = new Set<string>()
    for (const { entry, id } of await this.#tellingOf(ids)) {
      const { erased, isBelieved } = await this.#telling(entry)
      if (isBelieved && erased.has(id)) told.add(id)
    }
    return told
  }

  /** Whether a row was erased by an entry that has left the table, for an archive that is not at hand. */
  async mayBeToldInArchive(row: RowValues): Promise<boolean> {
    const erasure = erasureIn(textIn(row, 'details'))
    if (erasure === undefined || this.#log.archive) return false
    if ((await readRowsById(this.#log, [erasure])).length > 0) return false
    return lacksArchive(this.#log)
  }

  async #tellingOf(ids: readonly string[]): Promise<{ entry: string; id: string }[]> {
    const { table, connection } = this.#log
    const telling = await connection.query<{ entry: string; id: string }>(
      `SELECT l.id::text AS entry, t.id FROM ${quoteTable(table)} AS l
JOIN pg_catalog.json_array_elements_text($2::text::json) AS t(id) ON pg_catalog.jsonb_exists(l.details -> 'erased', t.id)
WHERE l.action = $1::text`,
      ...[erasing, JSON.stringify(ids)],
    )
    const archived = await this.#archivedTelling()
    const inArchive = ids.flatMap((id) => (archived.get(id) ?? []).map((entry) => ({ entry, id })))
    return [...telling, ...inArchive]
  }

  /** By id, the archived entries that tell of its erasure. */
  #archivedTelling(): Promise<ReadonlyMap<string, readonly string[]>> {
    this.#archived ??= this.#readArchivedTelling()
    return this.#archived
  }

  async #readArchivedTelling(): Promise<ReadonlyMap<string, readonly string[]>> {
    const conditions = { actions: [erasing], resourceType: 'auditLog' }
    const telling = new Map<string, string[]>()
    let after: EntryPlace | undefined
    while (true) {
      const question = { conditions, order: 'oldest', after, count: archivedAtOnce } as const
      const entries = (await this.#log.archive?.find(question))?.entries ?? []
      for (const { row } of entries) {
        for (const id of parseErased(row.details).keys())
          telling.set(id, [...(telling.get(id) ?? []), row.id])
      }
      if (entries.length < archivedAtOnce) return telling
      after = entries.at(-1)?.place
    }
  }

  async #telling(id: string, known?: RowValues): Promise<Telling> {
    const kept = this.#kept.get(id)
    if (kept) return kept
    const row = known ?? (await readRowOfBoth(this.#log, id))?.row
    const tells = row !== undefined && isErasure(actionOf(row))
    const telling = {
      id,
      erased: tells ? parseErased(textIn(row, 'details')) : new Map<string, string>(),
      isBelieved: tells && (this.#isBehind(row) || (await this.#isSealed(row))),
    }
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(id, telling)
    return telling
  }

  /** Whether a row stands behind all that is sealed. */
  #isBehind(row: RowValues): boolean {
    return compareCursors(ownPlaceOf(row, this.#position), this.#sealedPlace) > 0
  }

  /** Whether a row is exactly what was sealed in its place. */
  async #isSealed(row: RowValues): Promise<boolean> {
    const place = ownPlaceOf(row, this.#position)
    const leaf = await readSealedLeaf(this.#log, this.#position.log, place, textIn(row, 'id') ?? '')
    return leaf !== undefined && isSealedAs(row, leaf)
  }
}

function actionOf(row: RowValues): Parameters<typeof isErasure>[0] {
  return { action: textIn(row, 'action') ?? '', resource_type: textIn(row, 'resource_type') ?? '' }
}

function hashOfRow(row: RowValues): string {
  return hash('sha256', JSON.stringify(row), 'hex')
}
