import { entryColumns } from '../log/entry.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { Conditions } from './conditions.ts'
import { type Position, timestampText } from './cursor.ts'

/** A statement and the values of its parameters. */
export interface PageQuery {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** What a page selects beside the columns of an entry. */
export const positionColumn = `(extract(epoch FROM "timestamp") * 1000000)::int8 AS microseconds`

const newestFirst = 'ORDER BY "timestamp" DESC, seq DESC'

/**
 * The newest `count` entries that meet the conditions, before `position` in the order.
 *
 * The log has few indexes, all of them ending in the time. Where the conditions fix the columns before it, one index
 * gives the entries in order; the planner picks it. Otherwise the entries of each action are in order in the index on
 * actions, and are merged.
 */
export function pageQuery(
  table: TableName,
  conditions: Conditions,
  position: Position | undefined,
  count: number,
): PageQuery {
  const values: unknown[] = []
  const bind: Bind = (value, type) => `$${values.push(value)}::${type}`
  const log = quoteTable(table)
  const sql = isOrdered(conditions)
    ? `SELECT ${entryColumns}, ${positionColumn} FROM ${log}
WHERE ${every([actionCondition(conditions, bind), ...otherConditions(conditions, position, bind)])}
${newestFirst} LIMIT ${bind(count, 'int8')}`
    : mergeByAction(log, conditions, position, count, bind)
  return { sql, values }
}

type Bind = (value: unknown, type: string) => string

/**
 * Whether to leave the way to the planner: an index leads to the entries in order, or to few of them (a transaction's),
 * or none helps (a request's entries are too few to find by walking back in time), and it is one scan.
 */
function isOrdered(conditions: Conditions): boolean {
  const { actions = [], resourceId, actorId, organizationId, transactionId, requestId } = conditions
  const [action, ...others] = actions
  const isOneAction = action !== undefined && others.length === 0 && !action.includes('*')
  const leading = [resourceId, actorId, organizationId, transactionId, requestId]
  return isOneAction || leading.some((value) => value !== undefined)
}

/**
 * The newest entries of each action, merged. The actions that exist are found by stepping through the index on
 * actions. A few of the newest entries of each then tell how far back the page can reach, so that no action gives more
 * of its entries than belong there: hundreds of actions cost about what they would cost one after the other.
 */
function mergeByAction(
  log: string,
  conditions: Conditions,
  position: Position | undefined,
  count: number,
  bind: Bind,
): string {
  const match = every(['l.action = w.action', ...otherConditions(conditions, position, bind)])
  const limit = bind(count, 'int8')
  return `WITH RECURSIVE existing AS (
  (SELECT action FROM ${log} ORDER BY action LIMIT 1)
  UNION ALL
  SELECT (SELECT l.action FROM ${log} AS l WHERE l.action > e.action ORDER BY l.action LIMIT 1)
  FROM existing AS e WHERE e.action IS NOT NULL
), wanted AS MATERIALIZED (
  SELECT action FROM existing WHERE ${every(['action IS NOT NULL', actionCondition(conditions, bind)])}
), reach AS (
  SELECT n."timestamp" FROM wanted AS w CROSS JOIN LATERAL (
    SELECT "timestamp" FROM ${log} AS l WHERE ${match}
    ORDER BY "timestamp" DESC LIMIT (SELECT ${samples} * (${limit} / greatest(count(*), 1) + 1) FROM wanted)
  ) AS n
  ORDER BY n."timestamp" DESC OFFSET ${limit} - 1 LIMIT 1
)
SELECT n.* FROM wanted AS w CROSS JOIN LATERAL (
  SELECT ${entryColumns}, ${positionColumn} FROM ${log} AS l
  WHERE ${match} AND "timestamp" >= coalesce((SELECT "timestamp" FROM reach), '-infinity')
  ${newestFirst} LIMIT ${limit}
) AS n
${newestFirst} LIMIT ${limit}`
}

/** How many times the entries of a page are looked at for its reach: more make it more exact. */
const samples = 4

function actionCondition({ actions }: Conditions, bind: Bind): string | undefined {
  if (actions === undefined || actions.includes('*')) return undefined
  const [only, ...others] = actions
  // ANY of a list of one would hide from the planner that the index gives its entries in order
  if (only !== undefined && others.length === 0 && !only.includes('*'))
    return `action = ${bind(only, 'text')}`
  return actions.some((action) => action.includes('*'))
    ? `action LIKE ANY (${bind(actions.map(likePattern), 'text[]')})`
    : `action = ANY (${bind(actions, 'text[]')})`
}

/** `user.*` → `user.%`, with what LIKE would take for a wildcard escaped. */
export function likePattern(pattern: string): string {
  return pattern.replace(/[\\%_]/g, '\\$&').replace(/\*+/g, '%')
}

function otherConditions(
  conditions: Conditions,
  position: Position | undefined,
  bind: Bind,
): (string | undefined)[] {
  const equals = (column: string, value: string | undefined, type = 'text') =>
    value === undefined ? undefined : `${column} = ${bind(value, type)}`
  const { changed, from, to } = conditions
  return [
    equals('resource_type', conditions.resourceType),
    equals('resource_id', conditions.resourceId),
    equals('actor_id', conditions.actorId),
    equals('organization_id', conditions.organizationId),
    equals('transaction_id', conditions.transactionId, 'int8'),
    equals('request_id', conditions.requestId),
    equals('actor_type', conditions.actorType),
    equals('actor_email', conditions.actorEmail),
    equals('outcome', conditions.outcome),
    changed && `details @> ANY (${bind(changed.map(changing), 'text[]')}::jsonb[])`,
    from && `"timestamp" >= ${bind(from, 'timestamptz')}`,
    to && `"timestamp" < ${bind(to, 'timestamptz')}`,
    position && before(position, bind),
  ]
}

/** Of the field: the operator that looks for a key would also find it in a text or an object. */
function changing(field: string): string {
  return JSON.stringify({ changed: [field] })
}

/** The first comparison is for the index, the second for entries of the same microsecond. */
function before(position: Position, bind: Bind): string {
  const time = bind(timestampText(position), 'timestamptz')
  return `"timestamp" <= ${time} AND ("timestamp" < ${time} OR seq < ${bind(position.seq, 'int8')})`
}

function every(conditions: readonly (string | undefined)[]): string {
  return conditions.filter((condition) => condition !== undefined).join(' AND ') || 'true'
}
