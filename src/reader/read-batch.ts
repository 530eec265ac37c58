import { lineRow, splitLines } from '../log/ndjson.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { ExactRow } from '../sink.ts'
import { type CommittedRange, commitOrder, rangeCondition, readNextRange } from './committed-range.ts'
import { type ReaderCursor, startOf } from './cursor.ts'
import type { ReaderPosition } from './eras.ts'
import { exactLineColumns } from './exact-row.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/** How much to read at a time. */
export interface BatchLimits {
  readonly entries: number
  /** Of the lines; the last entry of a batch may go beyond. */
  readonly bytes: number
}

/** Entries that follow each other, all of one era. Kept as one text: rows are made when somebody asks for them. */
export class CommittedBatch {
  /** Lines of NDJSON, an entry each. */
  readonly text: string
  readonly #bytes: number
  readonly entries: number
  readonly highestSeq: bigint
  /** Milliseconds since the oldest entry was written, by the clock of the database. */
  readonly age: number
  readonly from: ReaderCursor
  /** The place of the last entry. */
  readonly until: ReaderCursor

  constructor({ text, bytes, entries, highestSeq, age }: ReadLines, from: ReaderCursor, until: ReaderCursor) {
    this.text = text
    this.#bytes = bytes
    this.entries = entries
    this.highestSeq = highestSeq
    this.age = age
    this.from = from
    this.until = until
  }

  get rows(): readonly ExactRow[] {
    return splitLines(this.text).map(lineRow)
  }

  /** Whether no further entry fits into a batch of such limits. */
  isFull({ entries, bytes }: BatchLimits): boolean {
    return this.entries >= entries || this.#bytes >= bytes
  }
}

/**
 * The entries that follow a cursor, as far as they can have no others before them: those of transactions below the horizon.
 * A transaction that still runs holds back what began after it.
 *
 * @returns undefined when there is none yet
 * @throws AuditError `AUDIT_CURSOR_AHEAD`
 */
export function readBatch(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  limits: BatchLimits,
): Promise<CommittedBatch | undefined> {
  return readNextRange(log, position, after, async (range) => {
    const read = await readParts(log, position, range, limits)
    return read.entries === 0 ? undefined : new CommittedBatch(read, after, placeOfLast(read, range))
  })
}

/** The entries between two cursors once more, as {@link readBatch} gave them. */
export async function readBatchAgain(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  until: ReaderCursor,
): Promise<CommittedBatch> {
  const from = after.era === until.era ? after : startOf(until.era)
  const read = await readLines(log, position, { after: from, isWhole: true, until })
  return new CommittedBatch(read, after, until)
}

interface ReadLines {
  readonly text: string
  readonly bytes: number
  readonly entries: number
  readonly highestSeq: bigint
  readonly age: number
}

const noLines: ReadLines = { text: '', bytes: 0, entries: 0, highestSeq: 0n, age: 0 }

/** How many lines are read to see how large they are. */
const sample = 100

/**
 * Up to as many lines as the limits allow. PostgreSQL makes every line that it is asked for, also those that turn out to be beyond the
 * limit of bytes: so a few are read first, and of the others about as many as fit.
 */
async function readParts(
  log: ReaderLog,
  position: ReaderPosition,
  range: CommittedRange,
  limits: BatchLimits,
): Promise<ReadLines> {
  let read = noLines
  while (read.entries < limits.entries && read.bytes < limits.bytes) {
    const bytes = limits.bytes - read.bytes
    const fitting = read.entries === 0 ? sample : Math.ceil((bytes / read.bytes) * read.entries * 1.05)
    const entries = Math.min(fitting, limits.entries - read.entries)
    const after = read.entries === 0 ? range.after : placeOfLast(read, range)
    const part = await readLines(log, position, { ...range, after }, { entries, bytes })
    read = joined(read, part)
    if (part.entries < entries) break
  }
  return read
}

function joined(one: ReadLines, other: ReadLines): ReadLines {
  return {
    text: one.text + other.text,
    bytes: one.bytes + other.bytes,
    entries: one.entries + other.entries,
    highestSeq: one.highestSeq > other.highestSeq ? one.highestSeq : other.highestSeq,
    age: Math.max(one.age, other.age),
  }
}

/** The place of the last line. */
function placeOfLast({ text }: ReadLines, { after: { era } }: CommittedRange): ReaderCursor {
  const last = lineRow(text.slice(text.lastIndexOf('\n', text.length - 2) + 1))
  return { era, transactionId: BigInt(last.transaction_id), seq: BigInt(last.seq) }
}

/**
 * PostgreSQL makes the lines, and one text of them: a value for each column of each entry takes longer to carry over and to put
 * together here than everything else does.
 */
async function readLines(
  { table, connection }: ReaderLog,
  position: ReaderPosition,
  range: CommittedRange,
  limits?: BatchLimits,
): Promise<ReadLines> {
  const values: string[] = []
  const add = (value: number) => {
    values.push(String(value))
    return `$${values.length}::pg_catalog.int8`
  }
  const lines = `SELECT (SELECT pg_catalog.row_to_json(line)::text FROM (SELECT ${exactLineColumns}) AS line) AS line,
  ${transactionSql} AS transaction, l.seq, l."timestamp"
FROM ${quoteTable(table)} AS l WHERE ${rangeCondition(position, range, values)} ORDER BY ${commitOrder}`
  const read = limits ? limited(lines, add(limits.entries), add(limits.bytes)) : lines
  const [found] = await connection.query<{ text: string; entries: number; highest: bigint; age: number }>(
    `SELECT string_agg(line, E'\\n' ORDER BY transaction, seq) AS text, count(*)::int4 AS entries, max(seq) AS highest,
  ((extract(epoch FROM pg_catalog.clock_timestamp()) - extract(epoch FROM min("timestamp"))) * 1000)::float8 AS age
FROM (${read}) AS read`,
    ...values,
  )
  if (!found?.entries) return noLines
  const { entries, highest, age } = found
  const text = `${found.text}\n`
  return { text, bytes: Buffer.byteLength(text), entries, highestSeq: BigInt(highest), age }
}

/** Up to so many lines, and none after so many bytes. */
function limited(lines: string, entries: string, bytes: string): string {
  const size = '(pg_catalog.octet_length(line) + 1)'
  return `SELECT * FROM (
  SELECT *, sum(${size}) OVER (ORDER BY transaction, seq ROWS UNBOUNDED PRECEDING) - ${size} AS before
  FROM (${lines} LIMIT ${entries}) AS n
) AS s WHERE before < ${bytes}`
}
