import { isPattern } from '../log/action-pattern.ts'
import type { ArchivedEntry, ArchivedLog } from '../log/archived-log.ts'
import {
  coveringSpan,
  type NewestSteps,
  type Span,
  spanSql,
  type TimeBounds,
  whole,
} from '../log/log-spans.ts'
import { type NewestQuestion, newestCall } from '../log/newest.ts'
import { QueryParameters } from '../log/query-parameters.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { actionSql, columnsSql, every, type Stretch, timeSql, whereSql } from './condition-sql.ts'
import type { Conditions } from './conditions.ts'
import { type Position, positionColumn } from './cursor.ts'
import { canBeRead, type Naming } from './record-sql.ts'

export interface LogToAsk {
  readonly table: TableName
  readonly connection: SqlClient
  /** The part of a partitioned log to read; by default, all of it. */
  readonly span?: Span
}

/** What to select a log's entries from; it needs an alias. */
export function logSql({ table, span = whole }: LogToAsk): string {
  return spanSql(table, span)
}

/** The bounds of what is asked for, in milliseconds since 1970. */
export function boundsOf({ from, to }: Conditions, before?: Position): TimeBounds {
  const ends = [
    ...(to === undefined ? [] : [Date.parse(to)]),
    ...(before ? [Number(before.microseconds / 1_000n)] : []),
  ]
  return {
    from: from === undefined ? undefined : Date.parse(from),
    to: ends.length === 0 ? undefined : Math.min(...ends),
  }
}

/** A log to read, and what to select of each entry. */
export interface LogSource extends LogToAsk {
  /** A select list on the log's table, in SQL. */
  readonly columns: string
  /** What has left the table, and how an entry of it becomes a row as the columns have it. */
  readonly archive?:
    | { readonly log: ArchivedLog; readonly toRow: (entry: ArchivedEntry) => object }
    | undefined
}

/** A statement and the values of its parameters. */
export interface EntriesQuery {
  readonly sql: string
  readonly values: readonly unknown[]
}

const newestFirst = 'ORDER BY "timestamp" DESC, seq DESC'

/** The newest `count` entries of a stretch that meet the conditions; the planner chooses how. */
export function plainQuery(
  source: LogSource,
  conditions: Conditions,
  stretch: Stretch,
  count: number,
): EntriesQuery {
  const columns = `${source.columns}, ${positionColumn}`
  if (!canBeRead(conditions)) return newest(columns, source, conditions, stretch, count)
  // each of the two by its own index: one condition for both would have to sort everything that happened to the record
  const parameters = new QueryParameters()
  const limit = parameters.add(count, 'int8')
  const [own, read] = (['own', 'read'] as const).map((naming) =>
    newestSql('*', source, conditions, stretch, limit, parameters, naming),
  )
  const sql = `SELECT ${columns} FROM ((${own}) UNION ALL (${read})) AS l ${newestFirst} LIMIT ${limit}`
  return { sql, values: parameters.values }
}

/** The same by the function of a partitioned log, which reads as many of its months as it needs. */
export function newestQuery(source: LogSource, steps: NewestSteps, question: NewestQuestion): EntriesQuery {
  const parameters = new QueryParameters()
  const found = newestCall(source.table, steps, question, parameters)
  const sql = `SELECT ${source.columns}, ${positionColumn} FROM ${found} AS l ${newestFirst}`
  return { sql, values: parameters.values }
}

/** The same for many sorted entries and few results: columns are computed for the results only. */
export function windowQuery(
  source: LogSource,
  conditions: Conditions,
  stretch: Stretch,
  count: number,
): EntriesQuery {
  const { sql, values } = newest('*', source, conditions, stretch, count)
  return { sql: `SELECT ${source.columns}, ${positionColumn} FROM (${sql}) AS l ${newestFirst}`, values }
}

function newest(
  columns: string,
  source: LogSource,
  conditions: Conditions,
  stretch: Stretch,
  count: number,
): EntriesQuery {
  const parameters = new QueryParameters()
  const limit = parameters.add(count, 'int8')
  const sql = newestSql(columns, source, conditions, stretch, limit, parameters)
  return { sql, values: parameters.values }
}

function newestSql(
  columns: string,
  source: LogSource,
  conditions: Conditions,
  stretch: Stretch,
  limit: string,
  parameters: QueryParameters,
  naming?: Naming,
): string {
  return `SELECT ${columns} FROM ${logSql(source)} AS l
WHERE ${whereSql(conditions, stretch, parameters, naming)}
${newestFirst} LIMIT ${limit}`
}

/** How many pages of entries are sampled to estimate how far back one page reaches: more are more exact. */
const samples = 4

/**
 * The same, by the index on actions: the newest entries of each action, merged. A few of the newest entries of each
 * show how far back the page can reach, so no action returns more entries than belong on it: hundreds of actions cost
 * about as much as the same actions one by one.
 */
export function mergedQuery(
  source: LogSource,
  conditions: Conditions,
  stretch: Stretch,
  count: number,
): EntriesQuery {
  const parameters = new QueryParameters()
  const { columns } = source
  const log = logSql(source)
  const wanted = wantedActions(log, conditions, parameters)
  const match = every([
    'l.action = w.name',
    ...columnsSql(conditions, parameters),
    ...timeSql(conditions, stretch, parameters),
  ])
  const limit = parameters.add(count, 'int8')
  const sql = `WITH RECURSIVE ${wanted}, reach AS (
  SELECT n."timestamp" FROM wanted AS w CROSS JOIN LATERAL (
    SELECT "timestamp" FROM ${log} AS l WHERE ${match}
    ORDER BY "timestamp" DESC LIMIT (SELECT ${samples} * (${limit} / greatest(count(*), 1) + 1) FROM wanted)
  ) AS n
  ORDER BY n."timestamp" DESC OFFSET ${limit} - 1 LIMIT 1
)
SELECT ${columns}, ${positionColumn} FROM wanted AS w CROSS JOIN LATERAL (
  SELECT l.* FROM ${log} AS l
  WHERE ${match} AND "timestamp" >= coalesce((SELECT "timestamp" FROM reach), '-infinity')
  ${newestFirst} LIMIT ${limit}
) AS l
${newestFirst} LIMIT ${limit}`
  return { sql, values: parameters.values }
}

/** CTEs, the last of which is `wanted (name)`: the actions of the conditions that the log has. */
function wantedActions(log: string, conditions: Conditions, parameters: QueryParameters): string {
  const { actions } = conditions
  if (actions && !actions.some(isPattern)) {
    return `wanted (name) AS MATERIALIZED (SELECT unnest(${parameters.add(actions, 'text[]')}))`
  }
  return `${distinctValues('existing', log, 'action')}, wanted (name) AS MATERIALIZED (
  SELECT action FROM existing WHERE ${every(['action IS NOT NULL', actionSql(conditions, parameters)])}
)`
}

/**
 * A CTE to follow `WITH RECURSIVE`: the distinct values of an indexed column, found by jumping along the index from one
 * to the next. Its last row is NULL.
 */
export function distinctValues(name: string, log: string, column: 'action' | 'resource_type'): string {
  return `${name} (${column}) AS (
  (SELECT ${column} FROM ${log} AS l ORDER BY ${column} LIMIT 1)
  UNION ALL
  SELECT (SELECT l.${column} FROM ${log} AS l WHERE l.${column} > e.${column} ORDER BY l.${column} LIMIT 1)
  FROM ${name} AS e WHERE e.${column} IS NOT NULL
)`
}

/**
 * Selects the times of a log's `first` and `last` entry, by the index that has each action's entries in the order of time. Ids
 * say nothing of it: entries from elsewhere may have random ones.
 *
 * @param log the table, quoted
 */
export function timeSpanSql(log: string): string {
  const end = (direction: 'ASC' | 'DESC') =>
    `(SELECT l."timestamp" FROM ${log} AS l WHERE l.action = e.action ORDER BY l."timestamp" ${direction} LIMIT 1)`
  return `WITH RECURSIVE ${distinctValues('existing', log, 'action')}
SELECT min(${end('ASC')}) AS "first", max(${end('DESC')}) AS "last" FROM existing AS e WHERE e.action IS NOT NULL`
}

/** Replaces patterns by the actions that the log has around the time of the conditions, since an index serves only those. */
export async function withLiteralActions(log: LogToAsk, conditions: Conditions): Promise<Conditions> {
  const { actions } = conditions
  if (!actions?.some(isPattern)) return conditions
  if (actions.includes('*')) return { ...conditions, actions: undefined }
  // whole months: at a bound inside of one, the jumps along the index would pass over what lies beyond, entry by entry
  const { span = await coveringSpan(log.table, log.connection, boundsOf(conditions)) } = log
  const parameters = new QueryParameters()
  const sql = `WITH RECURSIVE ${wantedActions(logSql({ ...log, span }), conditions, parameters)} SELECT name FROM wanted`
  const rows = await log.connection.query<{ name: string }>(sql, ...parameters.values)
  return { ...conditions, actions: rows.map(({ name }) => name) }
}
