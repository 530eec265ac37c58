import type { Table } from '../../postgres/catalog.ts'
import { quoteLiteral, quoteTable } from '../../postgres/identifiers.ts'
import type { WriteStatement } from '../parse/statement.ts'
import type { Reach } from './referential-actions.ts'

/*
 * Row-level security and missing privileges: an entry may need to read what the statement alone does not. RETURNING
 * reads, a lock needs the right to update, and referential actions pass every policy. Whether that matters depends on
 * the role, which a transaction may change, so it is asked when the statement runs, if its tables give reason to.
 */

/** How a statement that may read less than its entries need differs from the usual one. */
export interface Restricted {
  /** A query that returns whether the role is restricted. */
  readonly ask: string
  /**
   * - `nothing`: the statement would change other rows if it had to return them, so only its text is recorded.
   * - `rows`: the statement is tried with its entries first.
   * - `some`: it records the rows that the role sees, and that there may be others.
   */
  readonly records: 'nothing' | 'rows' | 'some'
  /** Whether a lock could find fewer rows than the statement. */
  readonly isLockless: boolean
}

/** Undefined if no role can be restricted in a way that matters to the statement. */
export function restrictionOf(
  statement: WriteStatement,
  table: Table,
  reach: Reach | undefined,
): Restricted | undefined {
  const isInsert = statement.kind === 'insert' || statement.kind === 'upsert'
  const isSplit = table.security === 'split'
  const reached = (reach?.edges.map(({ key }) => key.child) ?? []).filter(
    (child, index, all) => all.indexOf(child) === index,
  )
  const hidden = reached.filter((child) => child.security !== null || !child.readable)
  const own = { ask: restricted([table]), isLockless: false }
  if (!isInsert && isSplit && statement.readsNothing) return { ...own, records: 'nothing' }
  const isLocked = reach !== undefined || table.beforeDelete
  const isLockless = statement.kind === 'delete' && isLocked && (isSplit || !table.readable)
  if (hidden.length > 0 || isLockless) {
    const tables = isLockless ? [table, ...hidden] : hidden
    return { ask: restricted(tables), records: 'some', isLockless }
  }
  const isBlind = isInsert && table.security !== null && !statement.returning
  return isBlind || !table.readable ? { ...own, records: 'rows' } : undefined
}

function restricted(tables: readonly Table[]): string {
  return anyOf(
    tables.map((table) => `pg_catalog.row_security_active(${oidOf(table)}) OR ${lacks('SELECT', table)}`),
  )
}

/**
 * A query that returns whether the role lacks a privilege on one of the tables that the entries of a statement may need and
 * the statement alone does not: to read rows, and to lock them. Where it lacks none, what was refused is something else,
 * such as the log.
 */
export function lacksPrivilege(statement: WriteStatement, table: Table, reach: Reach | undefined): string {
  const locks = statement.kind === 'update' || statement.kind === 'delete'
  const privileges = locks ? ['SELECT', 'UPDATE'] : ['SELECT']
  const tables = reach?.tables ?? [table]
  return anyOf(tables.flatMap((one) => privileges.map((privilege) => lacks(privilege, one))))
}

function lacks(privilege: string, table: Table): string {
  return `NOT pg_catalog.has_table_privilege(${oidOf(table)}, '${privilege}')`
}

function anyOf(tests: readonly string[]): string {
  return `SELECT ${tests.join(' OR ')}`
}

function oidOf(table: Table): string {
  return `${quoteLiteral(quoteTable(table))}::pg_catalog.regclass`
}
