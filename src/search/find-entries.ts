import { newestSteps, type Span, spansOf } from '../log/log-spans.ts'
import type { Stretch } from './condition-sql.ts'
import { type Conditions, pickConditions } from './conditions.ts'
import { type Position, positionIn, timestampText } from './cursor.ts'
import {
  boundsOf,
  type EntriesQuery,
  type LogSource,
  mergedQuery,
  newestQuery,
  plainQuery,
  windowQuery,
  withLiteralActions,
} from './entries-query.ts'
import { isAllOf, isOneAction, leadingConditions } from './leading.ts'
import { newestQuestion } from './newest-question.ts'
import { hasFewOfType, windowStart } from './window.ts'

/** Which of the entries that meet the conditions to return. */
export interface SearchLimits {
  /** Those before this place in order of time; by default, from the newest on. */
  readonly before?: Position | undefined
  /** At most this many. */
  readonly count: number
  /** Milliseconds after which it stops and returns what it has; by default, it goes on to the end. */
  readonly time?: number | undefined
}

/** A row as the source selects it, and its place in the order. */
export type Placed<Row> = Row & { readonly position: string }

export interface FoundEntries<Row> {
  readonly rows: Placed<Row>[]
  /** Set when the time ran out: nothing after this place was searched. */
  readonly stoppedAt?: Position
}

/** Entries in the first and in the largest window of a search that has to check each. */
const [firstWindow, largestWindow] = [4_000, 128_000]

/**
 * The newest entries that meet the conditions, in order. A partitioned log is asked by its function where that knows the question;
 * else it is read span by span, from the newest on, until there are enough.
 */
export async function findEntries<Row>(
  source: LogSource,
  conditions: Conditions,
  { before, count, time }: SearchLimits,
): Promise<FoundEntries<Row>> {
  if (conditions.actions?.length === 0) return { rows: [] }
  const deadline = performance.now() + (time ?? Number.POSITIVE_INFINITY)
  const bounds = boundsOf(conditions, before)
  if (chooseWay(conditions, time !== undefined) === 'plain') {
    const question = newestQuestion(conditions, { before }, count)
    const steps = question && (await newestSteps(source.table, source.connection, bounds))
    if (steps) return { rows: await read<Row>(source, newestQuery(source, steps, question)) }
  }
  const spans = await spansOf(source.table, source.connection, bounds)
  const rows: Placed<Row>[] = []
  for (const [index, span] of spans.entries()) {
    const rest = time === undefined ? undefined : Math.max(0, deadline - performance.now())
    const limits = { before, count: count - rows.length, time: rest }
    const found = await findWithin<Row>({ ...source, span }, conditions, limits)
    rows.push(...found.rows)
    if (found.stoppedAt || rows.length === count) return { ...found, rows }
    const isLast = index === spans.length - 1
    if (!isLast && performance.now() > deadline) return { rows, stoppedAt: placeBefore(span) }
  }
  return { rows }
}

function read<Row>({ connection }: LogSource, { sql, values }: EntriesQuery): Promise<Placed<Row>[]> {
  return connection.query<Placed<Row>>(sql, ...values)
}

/** The place before all entries of a span. */
function placeBefore({ lower = 0 }: Span): Position {
  return { microseconds: BigInt(lower) * 1_000n, seq: -1n }
}

/**
 * The newest entries of one span.
 *
 * If an index leads to all of them, one statement finds them. Otherwise the search goes through windows of time, from
 * new to old. A window ends at the moment when an index has returned enough candidates. So sorting by time costs no
 * more than the window, and a search that finds little can stop in between and say how far it got.
 */
async function findWithin<Row>(
  source: LogSource,
  conditions: Conditions,
  { before, count, time }: SearchLimits,
): Promise<FoundEntries<Row>> {
  const way = chooseWay(conditions, time !== undefined)
  if (way !== 'windows') {
    const query = way === 'merged' ? mergedQuery : plainQuery
    return { rows: await read<Row>(source, query(source, conditions, { before }, count)) }
  }

  const searched = await withLiteralActions(source, conditions)
  if (searched.actions?.length === 0) return { rows: [] }
  const leading = await leadingOrType(source, searched)
  const deadline = performance.now() + (time ?? Number.POSITIVE_INFINITY)
  const rows: Placed<Row>[] = []
  let stretch: Stretch = { before }
  let size = isAllOf(searched, leading) ? count : firstWindow
  while (true) {
    const start = await windowStart(
      source,
      pickConditions(searched, [...leading, 'from', 'to']),
      stretch,
      size,
    )
    const window = { ...stretch, start: start && timestampText(start) }
    rows.push(...(await read<Row>(source, windowQuery(source, searched, window, count - rows.length))))
    if (start === undefined || rows.length === count) return { rows }
    if (performance.now() > deadline) return { rows, stoppedAt: start }
    stretch = { before: start }
    size = Math.min(size * 4, largestWindow)
  }
}

/**
 * Merging reads a few entries of every action, windows read every entry of a time span. Windows are better when time is
 * limited, or when an index does not cover all conditions.
 */
function chooseWay(conditions: Conditions, isLimited: boolean): 'plain' | 'merged' | 'windows' {
  // a request has too few entries to look for back in time, if there is time to read the whole log
  if (conditions.requestId !== undefined && !isLimited) return 'plain'
  const leading = leadingConditions(conditions)
  if (leading.includes('transactionId')) return 'plain'
  const isAll = isAllOf(conditions, leading)
  if (leading.length === 0) return isAll && !isLimited ? 'merged' : 'windows'
  if (isLimited && !isAll) return 'windows'
  return leading.includes('actions') && !isOneAction(conditions) ? 'merged' : 'plain'
}

/** No index has a resource type's entries in order of time. A few entries are sorted quickly. */
async function leadingOrType(
  source: LogSource,
  conditions: Conditions,
): Promise<readonly (keyof Conditions)[]> {
  const leading = leadingConditions(conditions)
  const { resourceType } = conditions
  if (leading.length > 0 || resourceType === undefined) return leading
  return (await hasFewOfType(source, resourceType)) ? ['resourceType'] : []
}

/** The place of the last of these rows. */
export function lastPosition(rows: readonly Placed<unknown>[]): Position | undefined {
  const last = rows.at(-1)
  return last && positionIn(last)
}
