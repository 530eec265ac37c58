import { isTimeout } from '../../postgres/sql-state.ts'
import type { WireActivity } from '../wire.ts'
import { conditions, Parameters } from './conditions.ts'
import type { Filter } from './filter.ts'
import type { ReadConnection } from './read-connection.ts'

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]

/** What people read off an axis without arithmetic, in milliseconds. */
const spans = [
  ...[second, 5 * second, 15 * second, minute, 5 * minute, 15 * minute],
  ...[hour, 3 * hour, 6 * hour, 12 * hour, day, 7 * day, 28 * day, 364 * day],
]

/** Above this many entries, a part of the table is counted instead of all of it; about so many are read then. */
const [countable, sampled] = [500_000, 200_000]

/** Milliseconds for counting every entry that matches, and for counting a part of them if that was not enough. */
const [timeForAll, timeForPart] = [1_200, 5_000]

export interface ActivityRequest {
  readonly table: string
  readonly filter: Filter
  readonly actions: readonly string[]
  readonly buckets: number
  /** The planner's estimate of the entries in the table. */
  readonly estimate: number
}

/**
 * Counts entries over time. Text is left out: to search every entry for it would take minutes in a large log. Where the
 * entries fill only a part of the log's time, that part is counted again in shorter spans.
 */
export async function readActivity(
  connection: ReadConnection,
  request: ActivityRequest,
): Promise<WireActivity> {
  const { text, ...filter } = request.filter
  const ignored = text === undefined ? [] : ['text']
  const [from, to] = await timeRange(connection, request.table, filter)
  let bucket = spanFor((to - from) / request.buckets)
  if (filter.action !== undefined && request.actions.length === 0)
    return { bucket, counts: [], sample: 1, ignored }

  let { counts, sample } = await countOrEstimate(connection, { ...request, filter }, bucket)
  for (let round = 0; round < 2; round++) {
    const [first, last] = [counts[0]?.[0] ?? from, (counts.at(-1)?.[0] ?? to) + bucket]
    const shorter = spanFor((last - first) / request.buckets)
    if (shorter >= bucket / 2 || (filter.from !== undefined && filter.to !== undefined)) break
    bucket = shorter
    const range = { from: later(filter.from, first), to: earlier(filter.to, last) }
    ;({ counts, sample } = await countOrEstimate(
      connection,
      { ...request, filter: { ...filter, ...range } },
      bucket,
    ))
  }
  return { bucket, counts, sample, ignored }
}

function later(from: string | undefined, first: number): string {
  return from !== undefined && Date.parse(from) > first ? from : new Date(first).toISOString()
}

function earlier(to: string | undefined, last: number): string {
  return to !== undefined && Date.parse(to) < last ? to : new Date(last).toISOString()
}

/** Counts all, unless that takes too long, or would by what the planner knows. */
async function countOrEstimate(
  connection: ReadConnection,
  request: ActivityRequest,
  bucket: number,
): Promise<Pick<WireActivity, 'counts' | 'sample'>> {
  if (request.estimate <= countable || Object.keys(request.filter).length > 0) {
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
  { table, filter, actions }: ActivityRequest,
  bucket: number,
  sample: number,
): Promise<WireActivity['counts']> {
  const parameters = new Parameters()
  const { from, to } = filter
  const where = [
    ...(from === undefined ? [] : [`"timestamp" >= ${parameters.add(from, 'timestamptz')}`]),
    ...(to === undefined ? [] : [`"timestamp" < ${parameters.add(to, 'timestamptz')}`]),
    ...conditions(filter, actions, parameters),
  ]
  // repeatable: the same picture each time
  const part =
    sample < 1 ? `TABLESAMPLE SYSTEM (${parameters.add(sample * 100, 'float4')}) REPEATABLE (1)` : ''
  const scaled = (aggregate: string) => `round(${aggregate} / ${parameters.add(sample, 'float8')})::bigint`
  // weeks begin on a Monday, such as the first day of 2001
  const begin = `date_bin(${parameters.add(`${bucket} milliseconds`, 'interval')}, "timestamp", '2001-01-01Z')`
  const sql = `SELECT json_build_array((extract(epoch FROM "begin") * 1000)::bigint,
      ${scaled('"successes"')}, ${scaled('"failures"')})
    FROM (
      SELECT ${begin} AS "begin", count(*) FILTER (WHERE outcome = 'success') AS "successes",
        count(*) FILTER (WHERE outcome <> 'success') AS "failures"
      FROM ${table} ${part} WHERE ${where.join(' AND ') || 'true'} GROUP BY 1
    ) AS "bucket" ORDER BY "begin"`
  return connection.read<WireActivity['counts'][number]>(
    sql,
    parameters.values,
    sample < 1 ? timeForPart : timeForAll,
  )
}

/** In milliseconds: what the filter says; where it says nothing, about what the log has, by its time-ordered key. */
async function timeRange(
  connection: ReadConnection,
  table: string,
  { from, to, resource, id, actor }: Filter,
): Promise<[from: number, to: number]> {
  if (from !== undefined && to !== undefined) return [Date.parse(from), Date.parse(to)]
  const parameters = new Parameters()
  const where = [
    ...(resource === undefined || id === undefined
      ? []
      : [
          `resource_type = ${parameters.add(resource, 'text')}`,
          `resource_id = ${parameters.add(id, 'text')}`,
        ]),
    ...(actor === undefined ? [] : [`actor_id = ${parameters.add(actor, 'text')}`]),
  ]
  const order = where.length === 0 ? 'id' : '"timestamp"'
  const end = (direction: 'ASC' | 'DESC') =>
    `(SELECT (extract(epoch FROM "timestamp") * 1000)::bigint FROM ${table}
      WHERE ${where.join(' AND ') || 'true'} ORDER BY ${order} ${direction} LIMIT 1)`
  const sql = `SELECT json_build_array(${end('ASC')}, ${end('DESC')})`
  const [ends] = await connection.read<[number | null, number | null]>(sql, parameters.values, timeForPart)
  const now = Date.now()
  const [first, last] = [ends?.[0] ?? now - day, ends?.[1] ?? now]
  return [from === undefined ? first : Date.parse(from), to === undefined ? last : Date.parse(to)]
}

function spanFor(milliseconds: number): number {
  return spans.find((span) => span >= milliseconds) ?? (spans.at(-1) as number)
}
