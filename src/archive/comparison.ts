import { lineRow, rowLine } from '../log/ndjson.ts'
import type { ReaderCursor } from '../reader/cursor.ts'
import type { ArchivePart, ExactRow } from '../sink.ts'
import type { ArchiveDifference, ReportBuilder } from './archive-report.ts'
import { differingColumns, isErasable } from './differing-columns.ts'
import { comesAfter, type LogStream } from './log-stream.ts'

/** Lines of one part that follow each other. */
export interface Lines {
  readonly part: Pick<ArchivePart, 'place' | 'isSuperseded'>
  readonly texts: readonly string[]
  /** Of the first one in its part, from 1. */
  readonly number: number
}

/** What of an entry is told. */
type EntryFacts = Pick<ExactRow, 'id' | 'seq' | 'timestamp' | 'action'>

interface StoredLine {
  readonly text: string
  readonly place: string
}

/** How many rows that were passed are remembered: a line that comes later than that is told as missing, and then as doubled. */
const remembered = 100_000

/** Compares the lines of an archive with the log, both in the order of readers, in one pass. */
export class Comparison {
  readonly #log: LogStream
  readonly #report: ReportBuilder
  /** Rows that were passed without their lines, by id: these may still come. */
  readonly #skipped = new Map<string, EntryFacts>()
  /** Ids of rows still to come, whose lines came where another row would be. */
  readonly #accounted = new Set<string>()

  constructor(log: LogStream, report: ReportBuilder) {
    this.#log = log
    this.#report = report
  }

  async compare({ part, texts, number }: Lines): Promise<void> {
    this.#log.lookAgain()
    let find: ((row: ExactRow) => ExactRow | undefined) | undefined
    let retired: ReadonlyMap<string, ExactRow> | undefined
    for (const [index, text] of texts.entries()) {
      if (!part.isSuperseded && (await this.#isNext(text))) continue
      const place = `${part.place}:${number + index}`
      const stored = parsed(text)
      if (!stored) {
        this.#tell('unreadable', undefined, place)
        continue
      }
      find ??= await this.#log.find(texts.slice(index).flatMap((other) => parsed(other) ?? []))
      const logged = find(stored)
      if (part.isSuperseded) {
        await this.#compareSuperseded(stored, logged, { text, place })
        continue
      }
      if (logged) {
        await this.#compareElsewhere(stored, logged, { text, place })
        continue
      }
      retired ??= await this.#log.findRetired(
        texts.slice(index).flatMap((other) => {
          const row = parsed(other)
          return row && !find?.(row) ? [row] : []
        }),
      )
      await this.#compareRetired(stored, retired.get(stored.id), { text, place })
    }
  }

  /**
   * Tells what never came.
   *
   * @param shipped the place up to which the archive has to have everything
   */
  async finish(shipped: ReaderCursor): Promise<void> {
    for (const row of this.#skipped.values()) this.#tell('missing', row, null)
    this.#skipped.clear()
    this.#log.lookAgain()
    for (let next = await this.#log.peek(); next; next = await this.#log.peek()) {
      this.#log.pass()
      const row = lineRow(next)
      if (this.#accounted.delete(row.id)) continue
      if (comesAfter(this.#log.placeOf(row), shipped)) this.#report.entries.notShipped++
      else this.#tell('missing', row, null)
    }
  }

  async #isNext(text: string): Promise<boolean> {
    if ((await this.#log.peek()) !== text) return false
    this.#log.pass()
    this.#report.entries.equal++
    return true
  }

  /** A line that is not the next row's. */
  async #compareElsewhere(stored: ExactRow, logged: ExactRow, line: StoredLine): Promise<void> {
    const isInPlace = stored.seq === logged.seq && stored.transaction_id === logged.transaction_id
    const at = this.#log.placeOf(logged)
    if (!comesAfter(at, this.#log.passed)) {
      const isLate = this.#skipped.delete(logged.id)
      if (isInPlace) this.#tell(isLate ? 'outOfOrder' : 'doubled', stored, line.place)
    } else if (isInPlace) {
      await this.#passTo(at, logged)
      if (isLineOf(line, logged)) this.#report.entries.equal++
    } else {
      this.#accounted.add(logged.id)
    }
    await this.#compareContents(stored, logged, line)
  }

  /** A line of what is not in the table: it may have left for the archive of the log. */
  async #compareRetired(stored: ExactRow, logged: ExactRow | undefined, line: StoredLine): Promise<void> {
    if (!logged) return this.#tell('extra', stored, line.place)
    if (isLineOf(line, logged)) this.#report.entries.equal++
    else await this.#compareContents(stored, logged, line)
  }

  /** A line from before a restore: the log has it if its backup had it. */
  async #compareSuperseded(stored: ExactRow, logged: ExactRow | undefined, line: StoredLine): Promise<void> {
    if (logged) await this.#compareContents(stored, logged, line)
    else this.#report.entries.superseded++
  }

  async #compareContents(stored: ExactRow, logged: ExactRow, line: StoredLine): Promise<void> {
    if (isLineOf(line, logged)) return
    const columns = differingColumns(stored, logged)
    if (columns.every(isErasable) && (await this.#log.isErased(logged))) this.#report.entries.erased++
    else this.#tell('changed', stored, line.place, columns)
  }

  /** Passes what the archive has left out. */
  async #passTo(at: ReaderCursor, { id }: ExactRow): Promise<void> {
    for (let next = await this.#log.peek(); next; next = await this.#log.peek()) {
      const row = lineRow(next)
      if (row.id !== id && !comesAfter(at, this.#log.placeOf(row))) break
      this.#log.pass()
      if (row.id === id) return
      this.#skip(row)
    }
    this.#accounted.add(id) // committed, and behind an open transaction
  }

  #skip({ id, seq, timestamp, action }: ExactRow): void {
    if (this.#accounted.delete(id)) return
    this.#skipped.set(id, { id, seq, timestamp, action })
    if (this.#skipped.size <= remembered) return
    const [oldest] = this.#skipped.values()
    if (!oldest) return
    this.#skipped.delete(oldest.id)
    this.#tell('missing', oldest, null)
  }

  #tell(
    kind: ArchiveDifference,
    entry: EntryFacts | undefined,
    place: string | null,
    columns: readonly string[] = [],
  ): void {
    const { id = null, seq = null, timestamp = null, action = null } = entry ?? {}
    this.#report.differences.add({ kind, id, seq, timestamp, action, place, columns })
  }
}

function isLineOf({ text }: StoredLine, logged: ExactRow): boolean {
  return rowLine(logged) === `${text}\n`
}

/** @returns undefined for a line that is no entry */
function parsed(text: string): ExactRow | undefined {
  try {
    const row = lineRow(text)
    return ['id', 'seq', 'transaction_id'].every((name) => typeof row[name as 'id'] === 'string')
      ? row
      : undefined
  } catch {
    return undefined
  }
}
