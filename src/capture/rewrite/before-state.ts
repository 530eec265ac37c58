import type { Catalog, Column, Table } from '../../postgres/catalog.ts'
import { columnOf, own, quoteIdentifier } from '../../postgres/identifiers.ts'
import { tableOf, type WriteStatement } from '../parse/statement.ts'
import { conflictCondition, conflictKey } from '../parse/upsert.ts'
import type { RowReference } from './tracked-table.ts'

/**
 * How a statement learns the row that it replaces:
 * - `returning`: its RETURNING has it. `DELETE` returns the old row in every version, `UPDATE` since PostgreSQL 18.
 * - `locked`: a CTE reads and locks the rows, and the statement joins it.
 * - `locked earlier`: a statement before this one locks the rows, and a CTE reads them.
 */
export type BeforeState = 'returning' | 'locked' | 'locked earlier'

export function beforeStateOf(statement: WriteStatement, table: Table, catalog: Catalog): BeforeState {
  const returnsOld = catalog.version >= 180000
  if (statement.kind === 'update') {
    // with a BEFORE UPDATE trigger the server locks the row by itself, and RETURNING OLD can be stale (seen on 18.4)
    if (returnsOld && !table.beforeUpdate) return 'returning'
    return table.primaryKey.length > 0 ? 'locked' : 'locked earlier'
  }
  return statement.conflict?.action === 'update' && !returnsOld ? 'locked earlier' : 'returning'
}

/** How the RETURNING list of the audited statement calls the old and the new row. */
export interface RowNames {
  readonly before: RowReference
  readonly after: RowReference
  /** A system column of the old row. */
  readonly address: (name: 'tableoid' | 'ctid') => string
  /** What goes between RETURNING and the list. */
  readonly with: string
}

export function rowNames(
  statement: WriteStatement,
  table: Table,
  state: BeforeState,
  catalog: Catalog,
): RowNames {
  const { reference, returning } = statement
  const plain: RowReference = (column) => columnOf(reference, column)
  const given = withClause(returning?.oldAlias, returning?.newAlias)
  if (state !== 'returning' && statement.kind === 'update') {
    return {
      before: lockedRow(table),
      after: plain,
      address: (name) => `${own('locked')}.${own(name)}`,
      with: given,
    }
  }
  const replaces = statement.kind === 'update' || statement.conflict?.action === 'update'
  if (!replaces || catalog.version < 180000) {
    return { before: plain, after: plain, address: (name) => `${reference}.${name}`, with: given }
  }
  // a statement that names the rows itself keeps its names; otherwise ours can't collide with a column
  const { oldAlias = '__audit_old', newAlias = '__audit_new' } = returning ?? {}
  return {
    before: (column) => columnOf(quoteIdentifier(oldAlias), column),
    after: (column) => columnOf(quoteIdentifier(newAlias), column),
    address: (name) => `${quoteIdentifier(oldAlias)}.${name}`,
    with: withClause(oldAlias, newAlias),
  }
}

/** `WITH (OLD AS o, NEW AS n) `; old and new are called so by themselves. */
function withClause(oldAlias = 'old', newAlias = 'new'): string {
  const renamed = [
    ...(oldAlias === 'old' ? [] : [`OLD AS ${quoteIdentifier(oldAlias)}`]),
    ...(newAlias === 'new' ? [] : [`NEW AS ${quoteIdentifier(newAlias)}`]),
  ]
  return renamed.length > 0 ? `WITH (${renamed.join(', ')}) ` : ''
}

/** The columns of the CTE `locked`. */
export function lockedRow(table: Table): RowReference {
  return (column) => `${own('locked')}.${lockedName(table, column)}`
}

/**
 * The CTE `locked`, without its name: the rows about to change, as they are.
 *
 * @param addresses for an upsert, an SQL expression of type tid[]: the rows that the statement before has locked. Another
 * one may have come in since; reading it would not keep others from changing it
 */
export function lockedRows(
  statement: WriteStatement,
  table: Table,
  state: BeforeState,
  addresses: () => string,
): string {
  const { reference, from, where, target } = statement
  const columns = [
    ...(['tableoid', 'ctid'] as const).map((name) => `${reference}.${name} AS ${own(name)}`),
    ...table.columns.map((column) => `${columnOf(reference, column)} AS ${lockedName(table, column)}`),
  ].join(', ')
  if (statement.kind === 'insert') {
    const key = conflictKey(statement, table)
    const condition = key ? conflictCondition(key, reference) : 'false'
    return `SELECT ${columns} FROM ${tableOf(statement)} WHERE (${condition}) AND ${reference}.ctid = ANY (${addresses()})`
  }
  // the lock that an UPDATE itself takes; a stronger one could deadlock where the statement alone does not
  return [
    `${statement.with ? `${statement.with} ` : ''}SELECT ${columns}`,
    `FROM ${target}${from === undefined ? '' : `, ${from}`}`,
    ...(where === undefined ? [] : [`WHERE ${where}`]),
    ...(state === 'locked' ? [`FOR NO KEY UPDATE OF ${reference}`] : []),
  ].join('\n')
}

/** An UPDATE of the rows in `locked`, without RETURNING. */
export function updateLocked(statement: WriteStatement, table: Table): string {
  const { from, where, set, target, reference } = statement
  const locked = lockedRow(table)
  const join =
    table.primaryKey.length > 0
      ? table.primaryKey.map((column) => `${columnOf(reference, column)} = ${locked(column)}`)
      : (['tableoid', 'ctid'] as const).map((name) => `${reference}.${name} = ${own('locked')}.${own(name)}`)
  // with other tables in FROM, the condition also says which of their rows to join
  const condition = from !== undefined && where !== undefined ? [`(${where})`] : []
  return [
    `${statement.with ? `${statement.with} ` : ''}UPDATE ${target} SET ${set}`,
    `FROM ${from === undefined ? '' : `${from}, `}${own('locked')}`,
    `WHERE ${[...condition, ...join].join(' AND ')}`,
  ].join('\n')
}

function lockedName(table: Table, column: Column): string {
  return own(`b${table.columns.indexOf(column)}`)
}
