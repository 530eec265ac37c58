import { AuditError } from '../errors.ts'
import { columnNames } from '../log/columns.ts'
import { quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import type { ExactRow } from '../sink.ts'
import { encodeReaderCursor, type ReaderCursor, startOf } from './cursor.ts'
import type { Era, ReaderPosition } from './eras.ts'
import { exactColumns } from './exact-row.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/** How much to read at a time. */
export interface BatchLimits {
  readonly entries: number
  /** Of `details`, as text; the last entry of a batch may go beyond. */
  readonly bytes: number
}

/** Entries that follow each other, all of one era. */
export interface CommittedBatch {
  readonly rows: readonly [ExactRow, ...ExactRow[]]
  readonly from: ReaderCursor
  /** The place of the last one. */
  readonly until: ReaderCursor
}

/**
 * The entries that follow a cursor, as far as they can have no others before them: those of transactions below the horizon.
 * A transaction that still runs holds back what began after it.
 *
 * @returns undefined when there is none yet
 * @throws AuditError `AUDIT_CURSOR_AHEAD`
 */
export async function readBatch(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  limits: BatchLimits,
): Promise<CommittedBatch | undefined> {
  refuseAhead(log, position, after)
  let from = after
  while (true) {
    const isWhole = isComplete(position, from.era)
    const rows = await readRows(log, position, from, isWhole, limits)
    const [first, ...others] = rows
    if (first) {
      const { transaction_id, seq } = others.at(-1) ?? first
      const until = { era: from.era, transactionId: BigInt(transaction_id), seq: BigInt(seq) }
      return { rows: [first, ...others], from: after, until }
    }
    if (!isWhole) return undefined
    from = startOf(from.era + 1)
  }
}

/** The entries between two cursors once more, as {@link readBatch} gave them. */
export async function readBatchAgain(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  until: ReaderCursor,
): Promise<readonly ExactRow[]> {
  const from = after.era === until.era ? after : startOf(until.era)
  return readRows(log, position, from, true, undefined, until)
}

/** An era is over once nothing that began before the next one runs: until then an entry may still come. */
function isComplete({ eras, horizon }: ReaderPosition, number: number): boolean {
  const next = eras.find((era) => era.number === number + 1)
  return next !== undefined && horizon >= next.transactionId
}

async function readRows(
  { table, connection }: ReaderLog,
  { eras }: ReaderPosition,
  after: ReaderCursor,
  isWhole: boolean,
  limits: BatchLimits | undefined,
  until?: ReaderCursor,
): Promise<ExactRow[]> {
  const values: string[] = []
  const add = (value: bigint | number, type: string) => {
    values.push(String(value))
    return `$${values.length}::pg_catalog.${type}`
  }
  const place = ({ transactionId, seq }: ReaderCursor) =>
    `(${add(transactionId, 'xid8')}, ${add(seq, 'int8')})`
  const [afterSeq, lastSeq] = rangeOf(eras, after.era)
  const conditions = [
    `(${transactionSql}, seq) > ${place(after)}`,
    `seq > ${add(afterSeq, 'int8')}`,
    ...(lastSeq === undefined ? [] : [`seq <= ${add(lastSeq, 'int8')}`]),
    ...(until ? [`(${transactionSql}, seq) <= ${place(until)}`] : []),
    // in the same statement: what is below the horizon of its snapshot is also visible to it
    ...(isWhole ? [] : [`${transactionSql} < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())`]),
  ]
  const rows = `SELECT ${exactColumns}, ${transactionSql} AS __audit_transaction, l.seq AS __audit_seq
FROM ${quoteTable(table)} AS l WHERE ${conditions.join(' AND ')} ORDER BY ${transactionSql}, l.seq`
  const sql = limits ? limited(rows, add(limits.entries, 'int8'), add(limits.bytes, 'int8')) : rows
  return connection.query<ExactRow>(
    `SELECT ${columnNames.map(quoteIdentifier).join(', ')} FROM (${sql}) AS r ORDER BY __audit_transaction, __audit_seq`,
    ...values,
  )
}

/** Up to so many rows, and none after so many bytes. */
function limited(rows: string, entries: string, bytes: string): string {
  const size = 'coalesce(pg_catalog.octet_length(details), 0)'
  return `SELECT * FROM (
  SELECT *, sum(${size}) OVER (ORDER BY __audit_transaction, __audit_seq ROWS UNBOUNDED PRECEDING) - ${size} AS __audit_before
  FROM (${rows} LIMIT ${entries}) AS n
) AS s WHERE __audit_before < ${bytes}`
}

/** The lowest and the highest `seq` of an era, the lowest not included. A later era may have begun lower, in an emptied log. */
function rangeOf(eras: ReaderPosition['eras'], number: number): [after: bigint, last: bigint | undefined] {
  const after = eras.find((era) => era.number === number)?.afterSeq ?? 0n
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
