import { hash } from 'node:crypto'
import { lineRow, splitLines } from '../log/ndjson.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { defaultLimits } from '../reader/committed-entries.ts'
import { placeOfEntry } from '../reader/committed-range.ts'
import { compareCursors, type ReaderCursor, startOf } from '../reader/cursor.ts'
import { type ReaderPosition, readPosition } from '../reader/eras.ts'
import { exactColumns } from '../reader/exact-row.ts'
import { readBatch } from '../reader/read-batch.ts'
import { type ReaderLog, transactionSql } from '../reader/reader-log.ts'
import { canonicalForm } from '../seal/canonical-form.ts'
import { erasureIn, isErasure, parseErased } from '../seal/erased-entry.ts'
import type { ExactRow } from '../sink.ts'

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const largest = 9_223_372_036_854_775_807n

/** The log in the order of readers, a batch at a time in memory. */
export class LogStream {
  readonly #log: ReaderLog
  #position: ReaderPosition
  #cursor = startOf(1)
  #lines: readonly string[] = []
  /** How many of these are passed. */
  #at = 0
  #isAtEnd = false
  #passed: string | undefined

  constructor(log: ReaderLog, position: ReaderPosition) {
    this.#log = log
    this.#position = position
  }

  /** The line of the next entry, without its end; undefined at the end. There it looks for more after {@link lookAgain} only. */
  async peek(): Promise<string | undefined> {
    if (this.#at === this.#lines.length && !this.#isAtEnd) await this.#read()
    return this.#lines[this.#at]
  }

  /** Passes the entry that {@link peek} gave. */
  pass(): void {
    this.#passed = this.#lines[this.#at++]
  }

  /** The place of the last entry that was passed. */
  get passed(): ReaderCursor {
    return this.#passed === undefined ? startOf(1) : this.placeOf(lineRow(this.#passed))
  }

  /** What was written meanwhile, an archive may have already. */
  lookAgain(): void {
    this.#isAtEnd = false
  }

  /** Where a row is in the order of readers. */
  placeOf(row: ExactRow): ReaderCursor {
    return placeOfEntry(this.#position, row)
  }

  /** Whether an entry `auditLog.erase` of the log tells that a row was erased, and is what that has left of it. */
  async isErased(row: ExactRow): Promise<boolean> {
    const erasure = erasureIn(row.details)
    if (erasure === undefined) return false
    const { table, connection } = this.#log
    const [told] = await connection.query<{ hash: string | null }>(
      `SELECT details -> 'erased' ->> $2::text AS hash FROM ${quoteTable(table)}
WHERE id = $1::text::uuid AND action = 'auditLog.erase' AND resource_type = 'auditLog'`,
      ...[erasure, row.id],
    )
    const became = told ? told.hash : await this.#toldInArchive(erasure, row.id)
    return became === hash('sha256', canonicalForm(row), 'hex')
  }

  /** What the archive of the log has of rows that have left the table, by id. */
  async findRetired(wanted: readonly ExactRow[]): Promise<ReadonlyMap<string, ExactRow>> {
    const ids = wanted.map(({ id }) => id).filter((id) => uuid.test(id))
    const found = (await this.#log.archive?.byIds(ids)) ?? []
    return new Map(found.map(({ row }) => [row.id, row]))
  }

  async #toldInArchive(erasure: string, id: string): Promise<string | undefined> {
    const [telling] = (await this.#log.archive?.byIds([erasure])) ?? []
    return telling && isErasure(telling.row) ? parseErased(telling.row.details).get(id) : undefined
  }

  /** What the log has of some rows: by id, or else by transaction id and `seq`. */
  async find(wanted: readonly ExactRow[]): Promise<(row: ExactRow) => ExactRow | undefined> {
    const { table, connection } = this.#log
    const select = `SELECT ${exactColumns} FROM ${quoteTable(table)} AS l`
    const ids = wanted.filter(({ id }) => uuid.test(id)).map(({ id }) => id)
    const byId = new Map(
      (
        await connection.query<ExactRow>(
          `${select} WHERE id IN (SELECT w::pg_catalog.uuid FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) AS w)`,
          JSON.stringify(ids),
        )
      ).map((row) => [row.id, row]),
    )
    const others = wanted.filter((row) => !byId.has(row.id) && isInt8(row.seq) && isInt8(row.transaction_id))
    const found =
      others.length === 0
        ? []
        : await connection.query<ExactRow>(
            `${select} JOIN pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) AS w(t text, s pg_catalog.int8)
ON ${transactionSql} = w.t::pg_catalog.xid8 AND seq = w.s`,
            JSON.stringify(others.map(({ transaction_id, seq }) => ({ t: transaction_id, s: seq }))),
          )
    const byPlace = new Map(found.map((row) => [`${row.transaction_id}.${row.seq}`, row]))
    return (row) => byId.get(row.id) ?? byPlace.get(`${row.transaction_id}.${row.seq}`)
  }

  async #read(): Promise<void> {
    this.#position = await readPosition(this.#log)
    const batch = await readBatch(this.#log, this.#position, this.#cursor, defaultLimits)
    this.#isAtEnd = batch === undefined
    this.#lines = splitLines(batch?.text ?? '')
    this.#at = 0
    if (batch) this.#cursor = batch.until
  }
}

/** Whether one place comes behind another. */
export function comesAfter(a: ReaderCursor, b: ReaderCursor): boolean {
  return compareCursors(a, b) > 0
}

function isInt8(text: string): boolean {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= largest
}
