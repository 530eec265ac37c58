import { columnNames } from '../log/columns.ts'
import { quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import type { ExactRow } from '../sink.ts'
import { type CommittedRange, commitOrder, rangeCondition, readNextRange } from './committed-range.ts'
import { type ReaderCursor, startOf } from './cursor.ts'
import type { ReaderPosition } from './eras.ts'
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
export function readBatch(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  limits: BatchLimits,
): Promise<CommittedBatch | undefined> {
  return readNextRange(log, position, after, async (range) => {
    const [first, ...others] = await readRows(log, position, range, limits)
    if (!first) return undefined
    const { transaction_id, seq } = others.at(-1) ?? first
    const until = { era: range.after.era, transactionId: BigInt(transaction_id), seq: BigInt(seq) }
    return { rows: [first, ...others], from: after, until }
  })
}

/** The entries between two cursors once more, as {@link readBatch} gave them. */
export async function readBatchAgain(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  until: ReaderCursor,
): Promise<readonly ExactRow[]> {
  const from = after.era === until.era ? after : startOf(until.era)
  return readRows(log, position, { after: from, isWhole: true, until })
}

async function readRows(
  { table, connection }: ReaderLog,
  position: ReaderPosition,
  range: CommittedRange,
  limits?: BatchLimits,
): Promise<ExactRow[]> {
  const values: string[] = []
  const add = (value: number) => {
    values.push(String(value))
    return `$${values.length}::pg_catalog.int8`
  }
  const rows = `SELECT ${exactColumns}, ${transactionSql} AS __audit_transaction, l.seq AS __audit_seq
FROM ${quoteTable(table)} AS l WHERE ${rangeCondition(position, range, values)} ORDER BY ${commitOrder}`
  const sql = limits ? limited(rows, add(limits.entries), add(limits.bytes)) : rows
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
