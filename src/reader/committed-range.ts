import { AuditError } from '../errors.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { ExactRow } from '../sink.ts'
import { encodeReaderCursor, type ReaderCursor, startOf } from './cursor.ts'
import type { Era, ReaderPosition } from './eras.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/** Entries of one era that follow each other. */
export interface CommittedRange {
  /** They come behind it, in its era. */
  readonly after: ReaderCursor
  /** Whether the era is over. Otherwise only what is below the horizon can have nothing before it that is still to come. */
  readonly isWhole: boolean
  /** The last of them; undefined for all that there are. */
  readonly until?: ReaderCursor
}

/** The condition of a statement for a range, over the log's own columns, with `$n` for values that it adds. */
export function rangeCondition(
  { eras }: Pick<ReaderPosition, 'eras'>,
  { after, isWhole, until }: CommittedRange,
  values: string[],
): string {
  const add = (value: bigint | number, type: string) => {
    values.push(String(value))
    return `$${values.length}::pg_catalog.${type}`
  }
  const place = ({ transactionId, seq }: ReaderCursor) =>
    `(${add(transactionId, 'xid8')}, ${add(seq, 'int8')})`
  const [afterSeq, lastSeq] = numbersOf(eras, after.era)
  return [
    `(${transactionSql}, seq) > ${place(after)}`,
    ...(afterSeq === undefined ? [] : [`seq > ${add(afterSeq, 'int8')}`]),
    ...(lastSeq === undefined ? [] : [`seq <= ${add(lastSeq, 'int8')}`]),
    ...(until ? [`(${transactionSql}, seq) <= ${place(until)}`] : []),
    // in the same statement: what is below the horizon of its snapshot is also visible to it
    ...(isWhole ? [] : [`${transactionSql} < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())`]),
  ].join(' AND ')
}

/** The order of readers within an era, over the log as `l`: without it, `seq` may be a column of the result. */
export const commitOrder = `${transactionSql}, l.seq`

/** Where an entry stands in the order of readers: its `seq` tells the era. */
export function placeOfEntry(
  { eras }: Pick<ReaderPosition, 'eras'>,
  entry: Pick<ExactRow, 'transaction_id' | 'seq'>,
): ReaderCursor {
  const seq = BigInt(entry.seq)
  const era = eras.findLast(({ afterSeq }) => seq > afterSeq) ?? eras[0]
  return { era: era.number, transactionId: BigInt(entry.transaction_id), seq }
}

/**
 * Reads what follows a cursor: `read` is called for its era, and for the next one where an era that is over has no more.
 *
 * @param read returns undefined where there is nothing in the range
 * @throws AuditError `AUDIT_CURSOR_AHEAD`
 */
export async function readNextRange<T>(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  read: (range: CommittedRange) => Promise<T | undefined>,
): Promise<T | undefined> {
  refuseAhead(log, position, after)
  for (let from = after; ; from = startOf(from.era + 1)) {
    const isWhole = isComplete(position, from.era)
    const found = await read({ after: from, isWhole })
    if (found !== undefined || !isWhole) return found
  }
}

/** An era is over once nothing that began before the next one runs: until then an entry may still come. */
function isComplete({ eras, horizon }: ReaderPosition, number: number): boolean {
  const next = eras.find((era) => era.number === number + 1)
  return next !== undefined && horizon >= next.transactionId
}

/**
 * The lowest and the highest `seq` of an era, the lowest not included; undefined where it has no such bound: a row with a forged
 * `seq` is of the first era, and hidden from no reader. A later era may have begun lower, in an emptied log.
 */
function numbersOf(
  eras: ReaderPosition['eras'],
  number: number,
): [after: bigint | undefined, last: bigint | undefined] {
  const after = number === eras[0].number ? undefined : eras.find((era) => era.number === number)?.afterSeq
  const later = eras.filter((era) => era.number > number).map(({ afterSeq }) => afterSeq)
  return [after, later.length === 0 ? undefined : later.reduce((a, b) => (a < b ? a : b))]
}

function refuseAhead({ table }: ReaderLog, { eras, next }: ReaderPosition, cursor: ReaderCursor): void {
  const present = eras.at(-1) as Era
  const isAhead =
    cursor.era > present.number || (cursor.era === present.number && cursor.transactionId >= next)
  if (!isAhead) return
  throw new AuditError(
    'AUDIT_CURSOR_AHEAD',
    `The cursor ${encodeReaderCursor(cursor)} is ahead of the audit log ${quoteTable(table)}, which is in era ${present.number}, before transaction ${next}: the log was restored to an earlier time, or the cursor is of another log. Nothing was read. Entries that were read beyond the log are no longer in it: begin again at the start of a new era, or from a cursor that the log has.`,
  )
}
