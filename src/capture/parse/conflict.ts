import type { Column, Table } from '../../postgres/catalog.ts'
import { columnOf } from '../../postgres/identifiers.ts'
import { isPlain } from './repeatable.ts'
import type { Syntax, SyntaxNode } from './syntax.ts'
import { closingBracket, findClause, splitAtCommas } from './tokens.ts'

/** How `INSERT … ON CONFLICT DO UPDATE` matches existing rows with its own. */
export interface Conflict {
  /** The columns of the conflict, if the clause lists plain columns. */
  readonly columns: readonly string[] | undefined
  readonly constraint: string | undefined
  /**
   * Each row of VALUES as the texts of its expressions, in the order of `insertColumns`; undefined for other sources.
   * An expression is undefined if it may not be the same twice: `nextval('…')`.
   */
  readonly rows: readonly (readonly (string | undefined)[])[] | undefined
  readonly insertColumns: readonly string[]
}

/** @param main the index of the token INSERT */
export function readConflict(node: SyntaxNode, syntax: Syntax, main: number): Conflict {
  const { infer } = node.onConflictClause as {
    infer?: { indexElems?: { IndexElem: { name?: string } }[]; conname?: string }
  }
  const columns = infer?.indexElems?.map((element) => element.IndexElem.name)
  return {
    columns: columns?.every((name) => name !== undefined) ? (columns as string[]) : undefined,
    constraint: infer?.conname,
    rows: valuesOf(node, syntax, main),
    insertColumns: targetNames(node.cols),
  }
}

/** The columns that a list of targets names. */
export function targetNames(targets: unknown): string[] {
  return ((targets ?? []) as { ResTarget?: { name?: string } }[]).map(
    (target) => target.ResTarget?.name ?? '',
  )
}

interface ValuesList {
  readonly List: { readonly items?: readonly unknown[] }
}

function valuesOf(
  node: SyntaxNode,
  { tokens, slice }: Syntax,
  main: number,
): (string | undefined)[][] | undefined {
  const select = (node.selectStmt as { SelectStmt?: { valuesLists?: ValuesList[] } } | undefined)?.SelectStmt
  const valuesAt = findClause(tokens, 'VALUES', main)
  if (!select?.valuesLists || valuesAt === undefined) return undefined
  const rows: (string | undefined)[][] = []
  for (let opening = valuesAt + 1; tokens[opening]?.text === '('; ) {
    const closing = closingBracket(tokens, opening)
    const items = select.valuesLists[rows.length]?.List.items
    rows.push(
      splitAtCommas(tokens, opening + 1, closing - 1).map(([first, last], index) =>
        isPlain(items?.[index]) ? slice(first, last) : undefined,
      ),
    )
    opening = closing + (tokens[closing + 1]?.text === ',' ? 2 : 1)
  }
  return rows
}

/** The key by which the rows in conflict can be found before the statement runs. */
export interface ConflictKey {
  /** The columns that ON CONFLICT names. */
  readonly columns: readonly Column[]
  /** For each inserted row, the expressions of those columns. */
  readonly rows: readonly (readonly string[])[]
}

/** How to find the rows in conflict; undefined when the statement has no values for that. */
export function conflictKey(conflict: Conflict, table: Table): ConflictKey | undefined {
  if (!conflict.rows) return undefined
  const named = conflict.constraint
    ? table.uniqueKeys.find((key) => key.name === conflict.constraint)?.columns.map((column) => column.name)
    : conflict.columns
  const columns = table.columns.filter((column) => named?.includes(column.name))
  const inserted =
    conflict.insertColumns.length > 0 ? conflict.insertColumns : table.columns.map(({ name }) => name)
  const positions = columns.map((column) => inserted.indexOf(column.name))
  const rows = conflict.rows.map((row) =>
    positions.map((position) => row[position]).filter((value) => value !== undefined),
  )
  const isGiven = rows.every((row) => row.length === columns.length)
  return columns.length > 0 && columns.length === named?.length && isGiven ? { columns, rows } : undefined
}

/** The condition that finds the rows in conflict. */
export function conflictCondition(key: ConflictKey, reference: string): string {
  const matches = key.rows.map((row) =>
    key.columns.map((column, index) => `${columnOf(reference, column)} = ${row[index]}`).join(' AND '),
  )
  return matches.map((match) => `(${match})`).join(' OR ')
}

/** Columns that match an upserted row with its locked one: a key that the update does not change. */
export function stableKey(conflict: Conflict, assigned: readonly string[], table: Table): readonly Column[] {
  const isStable = (columns: readonly Column[]) =>
    columns.length > 0 && columns.every((column) => !assigned.includes(column.name))
  const conflictColumns = table.columns.filter((column) => conflict.columns?.includes(column.name))
  return (
    [table.primaryKey, conflictColumns, ...table.uniqueKeys.map((key) => key.columns)].find(isStable) ?? []
  )
}
