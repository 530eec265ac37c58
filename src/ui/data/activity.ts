import { coveringSpan, type Span, spanSql, spansOf } from '../../log/log-spans.ts'
import { QueryParameters } from '../../log/query-parameters.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { SqlClient } from '../../postgres/sql-client.ts'
import { isTimeout } from '../../postgres/sql-state.ts'
import { whereSql } from '../../search/condition-sql.ts'
import { type Conditions, pickConditions } from '../../search/conditions.ts'
import { timeSpanSql } from '../../search/entries-query.ts'
import { leadingConditions } from '../../search/leading.ts'
import type { WireActivity } from '../wire.ts'
import type { ReadConnection } from './read-connection.ts'

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]

/** Time spans that people read from an axis without arithmetic, in milliseconds. */
const spans = [
  ...[second, 5 * second, 15 * second, minute, 5 * minute, 15 * minute],
  ...[hour, 3 * hour, 6 * hour, 12 * hour, day, 7 * day, 28 * day, 364 * day],
]

/** Above this many entries, only a part of the table is counted, about this many. */
const [countable, sampled] = [500_000, 200_000]

/** Milliseconds for counting every matching entry, and then for counting a part if that was not enough. */
const [timeForAll, timeForPart] = [1_200, 5_000]

export interface ActivityRequest {
  readonly table: TableName
  /** With the log's actions, not patterns. */
  readonly conditions: Conditions
  readonly buckets: number
  /** The planner's estimate of the entries in the table. */
  readonly estimate: number
}

interface CountRequest extends ActivityRequest {
  /** The part of the log that has all of them. */
  readonly span: Span
}

/**
 * Counts entries over time. Text is ignored: searching every entry for it would take minutes in a large log. If the
 * entries fill only a part of the log's time, that part is counted again in shorter spans.
 */
export async function readActivity(
  connection: ReadConnection,
  request: ActivityRequest,
): Promise<WireActivity> {
  const { text, ...conditions } = request.conditions
  const ignored = text === undefined ? [] : ['text']
  const [from, to] = await timeRange(connection, request.table, conditions)
  let bucket = spanFor((to - from) / request.buckets)
  if (conditions.actions?.length === 0) return { bucket, counts: [], sample: 1, ignored }

  const span = await coveringSpan(request.table, connection.within(timeForPart), { from, to })
  let { counts, sample } = await countOrEstimate(connection, { ...request, conditions, span }, bucket)
  for (let round = 0; round < 2; round++) {
    const [first, last] = [counts[0]?.[0] ?? from, (counts.at(-1)?.[0] ?? to) + bucket]
    const shorter = spanFor((last - first) / request.buckets)
    if (shorter >= bucket / 2 || (conditions.from !== undefined && conditions.to !== undefined)) break
    bucket = shorter
    const range = { from: later(conditions.from, first), to: earlier(conditions.to, last) }
    ;({ counts, sample } = await countOrEstimate(
      connection,
      { ...request, conditions: { ...conditions, ...range }, span },
      bucket,
    ))
  }
  // where nothing was counted, a bar's length would only tell of other entries
  return { bucket: counts.length === 0 ? day : bucket, counts, sample, ignored }
}

function later(from: string | undefined, first: number): string {
  return from !== undefined && Date.parse(from) > first ? from : new Date(first).toISOString()
}

function earlier(to: string | undefined, last: number): string {
  return to !== undefined && Date.parse(to) < last ? to : new Date(last).toISOString()
}

/** Counts all, unless that takes too long, or would by the planner's estimate. */
async function countOrEstimate(
  connection: ReadConnection,
  request: CountRequest,
  bucket: number,
): Promise<Pick<WireActivity, 'counts' | 'sample'>> {
  const isFiltered = Object.values(request.conditions).some((condition) => condition !== undefined)
  if (request.estimate <= countable || isFiltered) {
    try {
      return { counts: await count(connection, request, bucket, 1), sample: 1 }
    } catch (error) {
      if (!isTimeout(error)) throw error
    }
  }
  const sample = Math.min(sampled / Math.max(request.estimate, sampled), 0.5)
  return { counts: await count(connection, request, bucket, sample), sample }
}

async function count(
  connection: ReadConnection,
  { table, conditions, span }: CountRequest,
  bucket: number,
  sample: number,
): Promise<WireActivity['counts']> {
  const parameters = new QueryParameters()
  // repeatable: the same picture each time
  const part =
    sample < 1
      ? `${quoteTable(table)} TABLESAMPLE SYSTEM (${parameters.add(sample * 100, 'float4')}) REPEATABLE (1)`
      : `${spanSql(table, span)} AS l`
  const scaled = (aggregate: string) => `round(${aggregate} / ${parameters.add(sample, 'float8')})::bigint`
  // weeks begin on a Monday, such as the first day of 2001
  const begin = `date_bin(${parameters.add(`${bucket} milliseconds`, 'interval')}, "timestamp", '2001-01-01Z')`
  const sql = `SELECT json_build_array((extract(epoch FROM "begin") * 1000)::bigint,
      ${scaled('"successes"')}, ${scaled('"failures"')}) AS "count"
    FROM (
      SELECT ${begin} AS "begin", count(*) FILTER (WHERE outcome = 'success') AS "successes",
        count(*) FILTER (WHERE outcome <> 'success') AS "failures"
      FROM ${part} WHERE ${whereSql(conditions, {}, parameters)} GROUP BY 1
    ) AS "bucket" ORDER BY "begin"`
  const rows = await connection
    .within(sample < 1 ? timeForPart : timeForAll)
    .query<{ count: WireActivity['counts'][number] }>(sql, ...parameters.values)
  return rows.map((row) => row.count)
}

/** In milliseconds: the filter's range, or else about the log's. */
async function timeRange(
  connection: ReadConnection,
  table: TableName,
  conditions: Conditions,
): Promise<[from: number, to: number]> {
  const { from, to } = conditions
  if (from !== undefined && to !== undefined) return [Date.parse(from), Date.parse(to)]
  const leading = leadingConditions(conditions).filter((name) => inOrderOfTime.includes(name))
  const asked = { table, connection: connection.within(timeForPart) }
  const ofLeading = pickConditions(conditions, leading)
  const [oldest, newest] = await Promise.all([
    from === undefined ? timeAtEnd(asked, ofLeading, 'oldest') : undefined,
    to === undefined ? timeAtEnd(asked, ofLeading, 'newest') : undefined,
  ])
  const now = Date.now()
  const [first, last] = [oldest ?? now - day, newest ?? now]
  return [from === undefined ? first : Date.parse(from), to === undefined ? last : Date.parse(to)]
}

/** The time of the oldest or the newest entry that meets the conditions; undefined without one. */
async function timeAtEnd(
  { table, connection }: { table: TableName; connection: SqlClient },
  conditions: Conditions,
  order: 'oldest' | 'newest',
): Promise<number | undefined> {
  const isAny = Object.keys(conditions).length === 0
  for (const span of await spansOf(table, connection, {}, order)) {
    const parameters = new QueryParameters()
    const part = spanSql(table, span)
    const direction = order === 'oldest' ? 'ASC' : 'DESC'
    const end = isAny
      ? `SELECT ${order === 'oldest' ? '"first"' : '"last"'} AS "end" FROM (${timeSpanSql(part)}) AS "ends"`
      : `SELECT "timestamp" AS "end" FROM ${part} AS l WHERE ${whereSql(conditions, {}, parameters)}
         ORDER BY "timestamp" ${direction} LIMIT 1`
    const [found] = await connection.query<{ end: number | null }>(
      `SELECT (extract(epoch FROM "end") * 1000)::bigint AS "end" FROM (${end}) AS "span"`,
      ...parameters.values,
    )
    if (found && found.end !== null) return found.end
  }
  return undefined
}

/** Conditions that narrow the range to their own entries. */
const inOrderOfTime: readonly (keyof Conditions)[] = [
  'resourceType',
  'resourceId',
  'actorId',
  'organizationId',
]

function spanFor(milliseconds: number): number {
  return spans.find((span) => span >= milliseconds) ?? (spans.at(-1) as number)
}
