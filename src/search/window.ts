import { QueryParameters } from '../log/query-parameters.ts'
import { every, type Stretch, timeSql, whereSql } from './condition-sql.ts'
import type { Conditions } from './conditions.ts'
import { microsecondsSql, type Position } from './cursor.ts'
import { type LogToAsk, logSql } from './entries-query.ts'
import { isAllOf, isOneAction } from './leading.ts'

/**
 * Where a window begins that has `size` candidates and ends where the stretch does: before all entries of the same
 * moment as its oldest. Undefined when there are fewer.
 *
 * @param conditions those that make an entry a candidate: the ones that an index serves, and the time span
 */
export async function windowStart(
  log: LogToAsk,
  conditions: Conditions,
  stretch: Stretch,
  size: number,
): Promise<Position | undefined> {
  const parameters = new QueryParameters()
  const limit = parameters.add(size, 'int8')
  const candidates = candidatesSql(logSql(log), conditions, stretch, limit, parameters)
  const sql = `SELECT ${microsecondsSql('min("timestamp")')} AS microseconds
FROM (${candidates}) AS candidates HAVING count(*) = ${limit}`
  const [start] = await log.connection.query<{ microseconds: string }>(sql, ...parameters.values)
  return start && { microseconds: BigInt(start.microseconds), seq: -1n }
}

function candidatesSql(
  log: string,
  conditions: Conditions,
  stretch: Stretch,
  limit: string,
  parameters: QueryParameters,
): string {
  const newest = `ORDER BY "timestamp" DESC LIMIT ${limit}`
  const { actions } = conditions
  if (actions && !isOneAction(conditions)) {
    // once for each action: one scan over several would have to sort them all
    const match = every(['l.action = w.name', ...timeSql(conditions, stretch, parameters)])
    return `SELECT "timestamp" FROM unnest(${parameters.add(actions, 'text[]')}) AS w (name)
  CROSS JOIN LATERAL (SELECT "timestamp" FROM ${log} AS l WHERE ${match} ${newest}) AS l ${newest}`
  }
  const match = whereSql(conditions, stretch, parameters)
  if (!isAllOf(conditions, [])) return `SELECT "timestamp" FROM ${log} AS l WHERE ${match} ${newest}`
  const range = every([match, ...idRange(conditions, stretch, parameters)])
  return `SELECT "timestamp" FROM ${log} AS l WHERE ${range} ORDER BY id DESC LIMIT ${limit}`
}

const hour = 3_600_000

/**
 * A range of the primary key, since a UUIDv7 begins with the time. Clocks that differ only make a window larger: any
 * entries of the stretch give a correct lower end, and too few give none.
 */
function idRange({ from, to }: Conditions, { before }: Stretch, parameters: QueryParameters): string[] {
  // a random id of an entry from elsewhere is mostly one of a far future
  const end = before
    ? Number(before.microseconds / 1_000n)
    : to === undefined
      ? Date.now() + hour
      : Date.parse(to)
  return [
    `id < ${parameters.add(firstId(end + 1), 'uuid')}`,
    ...(from === undefined ? [] : [`id >= ${parameters.add(firstId(Date.parse(from) - hour), 'uuid')}`]),
  ]
}

/** Not greater than any UUIDv7 made in this millisecond or later. */
function firstId(milliseconds: number): string {
  const hex = Math.max(milliseconds, 0).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/** A resource type with at most this many entries is read whole. */
const fewEntries = 5_000

export async function hasFewOfType(log: LogToAsk, resourceType: string): Promise<boolean> {
  const parameters = new QueryParameters()
  const sql = `SELECT count(*)::text AS count FROM (SELECT FROM ${logSql(log)} AS l
WHERE ${whereSql({ resourceType }, {}, parameters)} LIMIT ${fewEntries + 1}) AS few`
  const [found] = await log.connection.query<{ count: string }>(sql, ...parameters.values)
  return Number(found?.count ?? 0) <= fewEntries
}
