import type { Table } from '../../postgres/catalog.ts'
import { own, quoteLiteral } from '../../postgres/identifiers.ts'
import type { Reach } from './referential-actions.ts'
import type { RowAddress } from './row-names.ts'

/** Statements that lock rows before the audited one, in the same transaction. */
export interface Lock {
  /** Locks the rows that the statement is about to change, and returns their addresses. */
  readonly rows: string
  /** Then locks the rows that referential actions reach, and returns their number. */
  readonly reached?: string
  /** Those rows may get more children meanwhile: lock until their number stays the same. */
  readonly isDeep: boolean
  /** Asks what else those rows may reach, see {@link askReached}; undefined when that is known. */
  readonly ask?: string | undefined
}

/** The rows that a statement is about to change. */
export interface Target {
  readonly table: Table
  /** The table with the statement's name for it, as after FROM. */
  readonly target: string
  /** That name. */
  readonly reference: string
  /** A query of these rows. */
  readonly select: (columns: string) => string
  /**
   * The lock that the statement itself takes (PostgreSQL manual, "Row-Level Locks"). A stronger one would block inserts
   * of child rows that the update does not affect, and could deadlock where the statement alone does not.
   */
  readonly strength: 'FOR UPDATE' | 'FOR NO KEY UPDATE'
}

/**
 * Locks the rows that a statement is about to change, so that the statement's snapshot comes after the lock. It then
 * sees every child row: an insert of another one waits for the lock on its parent. Returns the rows' addresses.
 */
export function lockRows({ table, reference, select, strength }: Target): string {
  const { sql } = addressText(table, (name) => `${reference}.${name}`)
  return `${select(`${sql}::text`)}\n${strength} OF ${reference}`
}

/**
 * The condition that a row is one of those that {@link lockRows} has locked.
 *
 * @param addresses an SQL expression of type text: the addresses as an array
 */
export function isLocked(table: Table, address: RowAddress, addresses: string): string {
  const { sql, type } = addressText(table, address)
  const isAmong = `${sql} = ANY (${addresses}::${type}[])`
  if (type === 'pg_catalog.tid') return isAmong
  // without the table, PostgreSQL can go to the row directly
  const rows = `SELECT pg_catalog."substring"(l.address, '[(].*')::pg_catalog.tid FROM pg_catalog.unnest(${addresses}::text[]) AS l(address)`
  return `(${address('ctid')} = ANY (ARRAY(${rows})) AND ${isAmong})`
}

/** A row's address; with partitions and inheriting tables, it includes the table. */
function addressText(table: Table, address: RowAddress): { sql: string; type: string } {
  const isOneTable = table.kind === 'r' && !table.inherited
  return isOneTable
    ? { sql: address('ctid'), type: 'pg_catalog.tid' }
    : { sql: `(${address('tableoid')}::text || ${address('ctid')}::text)`, type: 'pg_catalog.text' }
}

/** The lock that an update takes: the stronger one if it may change a key. */
export function updateStrength(table: Table, assigned: readonly string[]): Target['strength'] {
  const keys = table.uniqueKeys.flatMap((key) => key.columns)
  return keys.some((column) => assigned.includes(column.name)) ? 'FOR UPDATE' : 'FOR NO KEY UPDATE'
}

/** Locked rows, from which referential actions start. */
export interface LockedStart extends Omit<Target, 'select' | 'strength'> {
  /** What happens to them, see {@link reachedRows}. */
  readonly patch: string
  /** Where they are, see {@link lockRows}: they are not chosen again. */
  readonly addresses: string
  /** Which of them. */
  readonly condition?: string | undefined
}

/** The CTE `start` of {@link reachedRows}. */
export function lockedStart({ table, target, reference, patch, addresses, condition }: LockedStart): string {
  const chosen = isLocked(table, (name) => `${reference}.${name}`, addresses)
  const rows = [
    `SELECT ${reference}.tableoid, ${reference}.ctid, ${patch} FROM ${target}`,
    `WHERE ${chosen}${condition === undefined ? '' : ` AND (${condition})`}`,
  ].join(' ')
  return `${own('start')}(relation, "row", patch) AS (${rows})`
}

/** Before an update the new keys are unknown; it is enough to know that they will change. */
export function expectedPatch(reach: Reach, assigned: readonly string[]): string {
  const referenced = reach.edges.filter((edge) => edge.on === 'update').flatMap((edge) => edge.key.pairs)
  const names = [...new Set(referenced.map((pair) => pair.parent.name))].filter((name) =>
    assigned.includes(name),
  )
  return `pg_catalog.jsonb_build_object(${names.map((name) => `${quoteLiteral(name)}, NULL`).join(', ')})`
}
