import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { type Partitions, readPartitions } from '../postgres/partitions.ts'
import type { SqlClient } from '../postgres/sql-client.ts'

/**
 * A part of a log's time, from the beginning of a partition to the end of one, in milliseconds since 1970. A statement on a
 * span is planned for its partitions only: with all of them, planning takes longer than reading.
 */
export interface Span {
  /** Inclusive; undefined where nothing is older. */
  readonly lower: number | undefined
  /** Exclusive; undefined where nothing is newer. */
  readonly upper: number | undefined
}

/** How many partitions the spans have, from the newest on: a page is mostly filled by the first. The last has all others. */
const sizes = [2, 12]

/** Milliseconds for which the partitions are taken to be as they were. Entries dated ahead may be missed for as long. */
const fresh = 60_000

/** Milliseconds in which the clock of the database may reach the next partition before the partitions are read again. */
const ahead = 3_600_000

interface Known {
  readonly at: number
  readonly partitions: Promise<Partitions | undefined>
}

/** By the table as a client, a page or a command has it: each of these reads one database. */
const known = new WeakMap<TableName, Known>()

/**
 * The spans of a log from the newest to the oldest; those of one that is not partitioned, or of few, are one.
 *
 * @throws what the connection throws
 */
export async function spansOf(table: TableName, connection: SqlClient): Promise<readonly Span[]> {
  const now = performance.now()
  let found = known.get(table)
  if (!found || now - found.at > fresh) {
    found = { at: now, partitions: readPartitions(connection, table) }
    known.set(table, found)
    found.partitions.catch(() => known.delete(table))
  }
  const partitions = await found.partitions
  return partitions ? spansIn(partitions, partitions.now + now - found.at) : [whole]
}

export const whole: Span = { lower: undefined, upper: undefined }

function spansIn({ partitions }: Partitions, now: number): readonly Span[] {
  const isBegun = (lower: number | null) => lower === null || lower <= now + ahead
  let end = partitions.findLastIndex(({ lower, isEmpty }) => isBegun(lower) || !isEmpty) + 1
  const present = partitions.findLastIndex(({ lower }) => isBegun(lower))
  const spans: Span[] = []
  for (const size of sizes) {
    // what is dated ahead belongs to the first
    const start = Math.max(0, Math.min(end, spans.length === 0 ? present + 1 : end) - size)
    if (start === 0) break
    spans.push(between(partitions, start, end))
    end = start
  }
  return [...spans, between(partitions, 0, end)]
}

function between(partitions: Partitions['partitions'], start: number, end: number): Span {
  return {
    lower: start === 0 ? undefined : (partitions[start]?.lower ?? undefined),
    upper: end === partitions.length ? undefined : (partitions[end]?.lower ?? undefined),
  }
}

/** A span of a log, to select from; the whole log is its table. */
export function spanSql(table: TableName, { lower, upper }: Span): string {
  const moment = (milliseconds: number) => `'${new Date(milliseconds).toISOString()}'::timestamptz`
  const bounds = [
    ...(lower === undefined ? [] : [`"timestamp" >= ${moment(lower)}`]),
    ...(upper === undefined ? [] : [`"timestamp" < ${moment(upper)}`]),
  ]
  const log = quoteTable(table)
  return bounds.length === 0 ? log : `(SELECT * FROM ${log} WHERE ${bounds.join(' AND ')})`
}

/** The spans that have something of a time, from the newest to the oldest. */
export function spansWithin(
  spans: readonly Span[],
  {
    from = Number.NEGATIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
  }: { from?: number | undefined; to?: number | undefined },
): Span[] {
  return spans.filter(
    ({ lower, upper }) => (upper === undefined || from < upper) && (lower === undefined || to >= lower),
  )
}
