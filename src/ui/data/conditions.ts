import { readColumn, textColumns } from '../../log/columns.ts'
import type { Filter } from './filter.ts'

/** Collects the values of a statement and gives the placeholders for them. */
export class Parameters {
  readonly values: string[] = []

  /** Every value travels as text; `type` says what PostgreSQL makes of it. */
  add(value: string | number, type: string): string {
    this.values.push(String(value))
    return `$${this.values.length}::${type}`
  }
}

/** What a search for text looks at. */
const texts = textColumns.map((name) => `${readColumn(name)}::text`)

const columns = {
  actor: 'actor_id',
  resource: 'resource_type',
  id: 'resource_id',
  outcome: 'outcome',
  request: 'request_id',
  organization: 'organization_id',
} as const satisfies Partial<Record<keyof Filter, string>>

/**
 * A filter as conditions of SQL, without its time range.
 *
 * @param actions what `filter.action` stands for, when it is a pattern
 */
export function conditions(filter: Filter, actions: readonly string[], parameters: Parameters): string[] {
  const found = Object.entries(columns).flatMap(([name, column]) => {
    const value = filter[name as keyof typeof columns]
    return value === undefined ? [] : [`${column} = ${parameters.add(value, 'text')}`]
  })
  if (filter.transaction !== undefined) {
    found.push(`transaction_id = ${parameters.add(filter.transaction, 'bigint')}`)
  }
  if (filter.action !== undefined) {
    found.push(`action IN (${actions.map((action) => parameters.add(action, 'text')).join(', ')})`)
  }
  if (filter.text !== undefined) {
    const pattern = parameters.add(`%${filter.text.replace(/[\\%_]/g, '\\$&')}%`, 'text')
    found.push(`concat_ws(E'\\n', ${texts.join(', ')}) ILIKE ${pattern}`)
  }
  return found
}

/** `user.*` as a regular expression; without a star, the text itself. */
export function actionPattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}
