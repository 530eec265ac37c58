import { escapeLike, isPattern, likePattern } from '../log/action-pattern.ts'
import { readColumn, textColumns } from '../log/columns.ts'
import type { QueryParameters } from '../log/query-parameters.ts'
import type { Conditions } from './conditions.ts'
import { type Position, timestampText } from './cursor.ts'
import { type Naming, recordSql } from './record-sql.ts'

/** A part of the log, in order of time. */
export interface Stretch {
  /** Entries before this place. */
  readonly before?: Position | undefined
  /** Entries from this moment on, ISO 8601. */
  readonly start?: string | undefined
}

/** The conditions that name the one value of a column. */
export const equalities = {
  actorId: 'actor_id',
  organizationId: 'organization_id',
  transactionId: 'transaction_id',
  requestId: 'request_id',
  actorType: 'actor_type',
  actorEmail: 'actor_email',
  outcome: 'outcome',
} as const satisfies Partial<Record<keyof Conditions, string>>

/** The text that a text search looks at. */
const searchedText = textColumns.map((name) => `${readColumn(name)}::text`).join(', ')

/**
 * The conditions on an entry, as SQL; `true` when there are none.
 *
 * @param naming in which ways an entry may name the record that the conditions are about
 */
export function whereSql(
  conditions: Conditions,
  stretch: Stretch,
  parameters: QueryParameters,
  naming: Naming = 'either',
): string {
  return every([
    actionSql(conditions, parameters),
    ...columnsSql(conditions, parameters, naming),
    ...timeSql(conditions, stretch, parameters),
  ])
}

export function every(conditions: readonly (string | undefined)[]): string {
  return conditions.filter((condition) => condition !== undefined).join(' AND ') || 'true'
}

export function actionSql({ actions }: Conditions, parameters: QueryParameters): string | undefined {
  if (actions === undefined || actions.includes('*')) return undefined
  const [only, ...others] = actions
  // ANY with a list of one would hide from the planner that the index returns entries in order
  if (only !== undefined && others.length === 0 && !isPattern(only)) {
    return `action = ${parameters.add(only, 'text')}`
  }
  return actions.some(isPattern)
    ? `action LIKE ANY (${parameters.add(actions.map(likePattern), 'text[]')})`
    : `action = ANY (${parameters.add(actions, 'text[]')})`
}

/** The conditions on all columns but the action and the time. */
export function columnsSql(
  conditions: Conditions,
  parameters: QueryParameters,
  naming: Naming = 'either',
): string[] {
  const { changed, text, within } = conditions
  const equal = Object.entries(equalities).flatMap(([name, column]) => {
    const value = conditions[name as keyof typeof equalities]
    const type = column === 'transaction_id' ? 'int8' : 'text'
    return value === undefined ? [] : [`${column} = ${parameters.add(value, type)}`]
  })
  return [
    ...(within === undefined ? [] : [`(${whereSql(within, {}, parameters)})`]),
    ...recordSql(conditions, parameters, naming),
    ...equal,
    ...(changed ? [`details @> ANY (${parameters.add(changed.map(changing), 'text[]')}::jsonb[])`] : []),
    ...(text === undefined
      ? []
      : [`concat_ws(E'\\n', ${searchedText}) ILIKE ${parameters.add(`%${escapeLike(text)}%`, 'text')}`]),
  ]
}

export function timeSql(
  { from, to }: Conditions,
  { before, start }: Stretch,
  parameters: QueryParameters,
): string[] {
  return [
    ...(start === undefined ? [] : [`"timestamp" >= ${parameters.add(start, 'timestamptz')}`]),
    ...(from === undefined ? [] : [`"timestamp" >= ${parameters.add(from, 'timestamptz')}`]),
    ...(to === undefined ? [] : [`"timestamp" < ${parameters.add(to, 'timestamptz')}`]),
    ...(before === undefined ? [] : [beforeSql(before, parameters)]),
  ]
}

/** On the field: the operator that looks for a key would also find it in a string or an object. */
function changing(field: string): string {
  return JSON.stringify({ changed: [field] })
}

/** The first comparison is for the index, the second for entries of the same microsecond. */
function beforeSql(position: Position, parameters: QueryParameters): string {
  const time = parameters.add(timestampText(position), 'timestamptz')
  return `"timestamp" <= ${time} AND ("timestamp" < ${time} OR seq < ${parameters.add(position.seq, 'int8')})`
}
