import type { DuckDBValue } from '@duckdb/node-api'
import type { EntryConditions } from '../archive-contract.ts'
import { escapeLike, likePattern } from '../log/action-pattern.ts'
import { textColumns } from '../log/columns.ts'
import { quoteIdentifier } from '../postgres/identifiers.ts'
import { equalities } from '../search/condition-sql.ts'

const searchedText = textColumns
  .map((name) => (name === 'ip' ? "split_part(l.ip, '/', 1)" : `l.${quoteIdentifier(name)}`))
  .join(', ')

/** The conditions on an entry as DuckDB's SQL, over a file as `l`: those that `search/condition-sql.ts` has for PostgreSQL. */
export class ParquetConditions {
  readonly #add: (value: DuckDBValue) => string

  /** @param add gives the placeholder of a value */
  constructor(add: (value: DuckDBValue) => string) {
    this.#add = add
  }

  sql(conditions: EntryConditions): string {
    const { within, changed, text, from, to } = conditions
    const all = [
      ...this.#actions(conditions),
      ...this.#record(conditions),
      ...Object.entries(equalities).flatMap(([name, column]) => {
        const value = conditions[name as keyof typeof equalities]
        if (value === undefined) return []
        const isNumber = column === 'transaction_id'
        return [`l.${column} = ${isNumber ? `${this.#add(BigInt(value))}::BIGINT` : this.#add(value)}`]
      }),
      ...(changed ? [this.#any(changed, (field) => inList('$.changed[*]', this.#add(field)))] : []),
      ...(text === undefined
        ? []
        : [`concat_ws(chr(10), ${searchedText}) ILIKE ${this.#add(`%${escapeLike(text)}%`)} ESCAPE '\\'`]),
      ...(from === undefined ? [] : [`l."timestamp" >= ${this.#add(from)}::TIMESTAMPTZ`]),
      ...(to === undefined ? [] : [`l."timestamp" < ${this.#add(to)}::TIMESTAMPTZ`]),
      ...(within ? [`(${this.sql(within)})`] : []),
    ]
    return all.length === 0 ? 'true' : all.join(' AND ')
  }

  #actions({ actions }: EntryConditions): string[] {
    if (actions === undefined || actions.includes('*')) return []
    return [
      this.#any(actions, (action) =>
        action.includes('*')
          ? `l.action LIKE ${this.#add(likePattern(action))} ESCAPE '\\'`
          : `l.action = ${this.#add(action)}`,
      ),
    ]
  }

  /** An entry is of a record that it is about, and of those that were read together. */
  #record({ resourceType, resourceId }: EntryConditions): string[] {
    const type = resourceType === undefined ? [] : [`l.resource_type = ${this.#add(resourceType)}`]
    if (resourceId === undefined) return type
    const own = `l.resource_id = ${this.#add(resourceId)}`
    if (resourceType === undefined) return [...type, own]
    const read = `l.resource_id IS NULL AND l.action LIKE '%.read' AND ${inList('$.ids[*]', this.#add(resourceId))}`
    return [...type, `(${own} OR (${read}))`]
  }

  #any<Value>(values: readonly Value[], sql: (value: Value) => string): string {
    return values.length === 0 ? 'false' : `(${values.map(sql).join(' OR ')})`
  }
}

function inList(path: string, value: string): string {
  return `list_contains(json_extract_string(l.details, '${path}'), ${value})`
}
