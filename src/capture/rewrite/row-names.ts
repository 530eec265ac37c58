import type { Column } from '../../postgres/catalog.ts'
import { columnOf, quoteIdentifier } from '../../postgres/identifiers.ts'
import type { WriteStatement } from '../parse/statement.ts'

/** How to write a column of one version of a row in SQL: `(column) => '"o"."name"'`. */
export type RowReference = (column: Column) => string

/** How to write a row's address, as system columns: `(name) => '"o".ctid'`. */
export type RowAddress = (name: 'tableoid' | 'ctid') => string

/** The names of the old and the new row in the audited statement's RETURNING list. */
export interface RowNames {
  readonly before: RowReference
  readonly after: RowReference
  /** The old row's address. */
  readonly address: RowAddress
  /** What goes between RETURNING and the list. */
  readonly with: string
}

/** The names when there is only one row: the one that INSERT added, or that DELETE removed. */
export function singleRow({ reference, returning }: WriteStatement): RowNames {
  const row: RowReference = (column) => columnOf(reference, column)
  return {
    before: row,
    after: row,
    address: (name) => `${reference}.${name}`,
    with: withClause(returning?.oldAlias, returning?.newAlias),
  }
}

/** The names when RETURNING has both rows: UPDATE and ON CONFLICT DO UPDATE, since PostgreSQL 18. */
export function oldAndNewRow({ returning }: WriteStatement): RowNames {
  // a statement's own names for the rows are kept; otherwise ours can't collide with a column
  const { oldAlias = '__audit_old', newAlias = '__audit_new' } = returning ?? {}
  return {
    before: (column) => columnOf(quoteIdentifier(oldAlias), column),
    after: (column) => columnOf(quoteIdentifier(newAlias), column),
    address: (name) => `${quoteIdentifier(oldAlias)}.${name}`,
    with: withClause(oldAlias, newAlias),
  }
}

/** `WITH (OLD AS o, NEW AS n) `; empty for the default names old and new. */
function withClause(oldAlias = 'old', newAlias = 'new'): string {
  const renamed = [
    ...(oldAlias === 'old' ? [] : [`OLD AS ${quoteIdentifier(oldAlias)}`]),
    ...(newAlias === 'new' ? [] : [`NEW AS ${quoteIdentifier(newAlias)}`]),
  ]
  return renamed.length > 0 ? `WITH (${renamed.join(', ')}) ` : ''
}
