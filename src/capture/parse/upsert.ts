import type { Column, Table } from '../../postgres/catalog.ts'
import { columnOf } from '../../postgres/identifiers.ts'
import type { WriteStatement } from './statement.ts'

/**
 * Before PostgreSQL 18, `INSERT … ON CONFLICT DO UPDATE` can't return the row that it replaces. So the row in conflict
 * is locked by a statement before, and read beside the upsert.
 */
export interface ConflictKey {
  /** The columns that ON CONFLICT names. */
  readonly columns: readonly Column[]
  /** For each inserted row, the expressions of those columns. */
  readonly rows: readonly (readonly string[])[]
}

/** How to find the rows in conflict; undefined where the statement does not say it in values. */
export function conflictKey({ conflict }: WriteStatement, table: Table): ConflictKey | undefined {
  if (!conflict?.rows) return undefined
  const named = conflict.constraint
    ? table.uniqueKeys.find((key) => key.name === conflict.constraint)?.columns.map((column) => column.name)
    : conflict.columns
  const columns = table.columns.filter((column) => named?.includes(column.name))
  const inserted =
    conflict.insertColumns.length > 0 ? conflict.insertColumns : table.columns.map(({ name }) => name)
  const positions = columns.map((column) => inserted.indexOf(column.name))
  const rows = conflict.rows.map((row) => positions.map((position) => row[position] ?? 'DEFAULT'))
  const isGiven = rows.every((row) => row.every((value) => value.toUpperCase() !== 'DEFAULT'))
  return columns.length > 0 && columns.length === named?.length && isGiven ? { columns, rows } : undefined
}

/** The condition that finds the rows in conflict. */
export function conflictCondition(key: ConflictKey, reference: string): string {
  const matches = key.rows.map((row) =>
    key.columns.map((column, index) => `${columnOf(reference, column)} = ${row[index]}`).join(' AND '),
  )
  return matches.map((match) => `(${match})`).join(' OR ')
}

/** Columns that find the locked row of an upserted one again: a key that the update leaves as it is. */
export function stableKey({ assigned, conflict }: WriteStatement, table: Table): readonly Column[] {
  const isStable = (columns: readonly Column[]) =>
    columns.length > 0 && columns.every((column) => !assigned.includes(column.name))
  const conflictColumns = table.columns.filter((column) => conflict?.columns?.includes(column.name))
  return (
    [table.primaryKey, conflictColumns, ...table.uniqueKeys.map((key) => key.columns)].find(isStable) ?? []
  )
}
