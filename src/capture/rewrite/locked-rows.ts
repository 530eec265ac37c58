import type { Column, Table } from '../../postgres/catalog.ts'
import { columnOf, own } from '../../postgres/identifiers.ts'
import type { RowAddress, RowReference } from './row-names.ts'

/*
 * When RETURNING lacks the old rows, a CTE reads the rows about to change, and the statement or another CTE joins it.
 */

/** The CTE `locked` from the query of its rows. */
export function lockedCte(query: string): string {
  return `${own('locked')} AS MATERIALIZED (${query})`
}

/** The select list of such a query: a row's address and all of its columns. */
export function lockedColumns(table: Table, reference: string): string {
  return [
    ...(['tableoid', 'ctid'] as const).map((name) => `${reference}.${name} AS ${own(name)}`),
    ...table.columns.map((column) => `${columnOf(reference, column)} AS ${lockedName(table, column)}`),
  ].join(', ')
}

/** The columns of a locked row. */
export function lockedRow(table: Table): RowReference {
  return (column) => `${own('locked')}.${lockedName(table, column)}`
}

export const lockedAddress: RowAddress = (name) => `${own('locked')}.${own(name)}`

function lockedName(table: Table, column: Column): string {
  return own(`b${table.columns.indexOf(column)}`)
}
