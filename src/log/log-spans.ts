import { validate as isUuid, version } from 'uuid'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { endOfPartitions, type Partition, type Partitions, readPartitions } from '../postgres/partitions.ts'
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

interface KnownPartitions {
  readonly at: number
  readonly partitions: Promise<Partitions | undefined>
}

/** By the table as a client, a page or a command has it: each of these reads one database. */
const known = new WeakMap<TableName, KnownPartitions>()

/** A part of time, in milliseconds since 1970; without an end where it is left out, or is no number. */
export interface TimeBounds {
  /** Inclusive. */
  readonly from?: number | undefined
  /** Exclusive. */
  readonly to?: number | undefined
}

/**
 * The spans of a log that have something of a time, from the newest to the oldest; those of a log that is not partitioned, or has
 * few partitions of that time, are one.
 *
 * @param order `oldest` begins with the oldest
 * @throws what the connection throws
 */
export async function spansOf(
  table: TableName,
  connection: SqlClient,
  bounds: TimeBounds = {},
  order: 'newest' | 'oldest' = 'newest',
): Promise<readonly Span[]> {
  const found = await partitionsOf(table, connection)
  return found ? spansIn(found.partitions, found.now, bounds, order) : [whole]
}

/**
 * The one span that has all of a time: of a log that is not partitioned, the whole of it.
 *
 * @throws what the connection throws
 */
export async function coveringSpan(
  table: TableName,
  connection: SqlClient,
  bounds: TimeBounds,
): Promise<Span> {
  const spans = await spansOf(table, connection, bounds)
  return { lower: spans.at(-1)?.lower, upper: spans[0]?.upper }
}

/** How the function of the log reads the newest entries of a time: see make_newest. */
export interface NewestSteps {
  /** The beginnings of months in between, from the newest on. */
  readonly between: readonly number[]
  /** From when on there may be reads of several records. */
  readonly readsFrom: number
}

/** @returns undefined where the log is one table, or its function is not to be had */
export async function newestSteps(
  table: TableName,
  connection: SqlClient,
  bounds: TimeBounds,
): Promise<NewestSteps | undefined> {
  const found = await partitionsOf(table, connection)
  if (!found?.canCallNewest) return undefined
  const { partitions, now } = found
  const spans = spansIn(partitions, now, bounds, 'newest')
  if (spans.length < 2) return undefined
  // what is written now may be the first read
  const isFresh = (upper: number | null) => upper === null || upper >= now - fresh - ahead
  return {
    between: spans.slice(0, -1).map(({ lower = 0 }) => lower),
    readsFrom: partitions.find(({ hasReads, upper }) => hasReads || isFresh(upper))?.lower ?? -Infinity,
  }
}

/**
 * Where to look for an entry, one after the other: a UUIDv7 says when it was made, and the entry was mostly written in that
 * month or beside it. Clocks differ, and ids from elsewhere may be random, so at last in the whole log.
 *
 * @throws what the connection throws
 */
export async function spansOfId(
  table: TableName,
  connection: SqlClient,
  id: string,
): Promise<readonly Span[]> {
  const found = await partitionsOf(table, connection)
  if (!found || !isUuid(id) || version(id) !== 7) return [whole]
  const { partitions } = found
  const made = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  const month = partitions.findIndex(
    ({ lower, upper }) => (lower ?? -Infinity) <= made && made < (upper ?? Infinity),
  )
  if (month === -1) return [whole]
  return [between(partitions, Math.max(0, month - 1), Math.min(partitions.length, month + 2)), whole]
}

async function partitionsOf(table: TableName, connection: SqlClient): Promise<Partitions | undefined> {
  const now = performance.now()
  let found = known.get(table)
  if (!found || now - found.at > fresh) {
    found = { at: now, partitions: readPartitions(connection, table) }
    known.set(table, found)
    found.partitions.catch(() => known.delete(table))
  }
  const read = await found.partitions
  return read && withBounds({ ...read, now: read.now + now - found.at })
}

/**
 * The partitions that are of a time. A default partition is of none, and as long as it is empty nothing is looked for in it.
 *
 * @returns undefined where a default partition has entries, or may get some that are written now: then the log is read as one table
 */
function withBounds(found: Partitions): Partitions | undefined {
  const bounded = found.partitions.filter(({ lower, upper }) => lower !== null || upper !== null)
  const others = found.partitions.filter((one) => !bounded.includes(one))
  if (others.length === 0) return found
  const partitions = { ...found, partitions: bounded }
  const isCovered = (endOfPartitions(partitions) ?? -Infinity) > found.now + ahead
  return isCovered && others.every(({ isEmpty }) => isEmpty) ? partitions : undefined
}

export const whole: Span = { lower: undefined, upper: undefined }

function spansIn(
  partitions: readonly Partition[],
  now: number,
  bounds: TimeBounds,
  order: 'newest' | 'oldest',
): readonly Span[] {
  const isBegun = (lower: number | null) => lower === null || lower <= now + ahead
  const isWithin = isPartOf(bounds)
  const [first, last] = [
    partitions.findIndex(isWithin),
    partitions.findLastIndex((one) => isWithin(one) && (isBegun(one.lower) || !one.isEmpty)),
  ]
  if (first === -1 || last < first) return [whole]
  const present = partitions.findLastIndex((one) => isWithin(one) && isBegun(one.lower))
  let [start, end] = [first, last + 1]
  const spans: Span[] = []
  for (const size of sizes) {
    // what is dated ahead belongs to the first of the newest
    const edge =
      order === 'oldest' ? start + size : (spans.length === 0 && present >= first ? present + 1 : end) - size
    if (edge <= start || edge >= end) break
    spans.push(order === 'oldest' ? between(partitions, start, edge) : between(partitions, edge, end))
    if (order === 'oldest') start = edge
    else end = edge
  }
  return [...spans, between(partitions, start, end)]
}

/** Whether a partition has something of a time. */
function isPartOf({ from = -Infinity, to = Infinity }: TimeBounds) {
  // what is no number, such as a time that JavaScript can't tell, excludes nothing
  return ({ lower, upper }: Partition) =>
    !(upper !== null && from >= upper) && !(lower !== null && to < lower)
}

function between(partitions: readonly Partition[], start: number, end: number): Span {
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
