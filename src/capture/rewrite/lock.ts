import type { Table } from '../../postgres/catalog.ts'
import { own, quoteLiteral } from '../../postgres/identifiers.ts'
import { affectedLock, type Reach, reachedRows, scanOf } from './referential-actions.ts'
import type { RowAddress } from './row-names.ts'

/** Statements that lock rows before the audited one, in the same transaction. */
export interface Lock {
  /** Locks the rows that the statement is about to change, and returns their addresses. */
  readonly rows: string
  /** Then locks the rows that referential actions reach, and returns their number. */
  readonly reached?: string
  /** Those rows may get more children meanwhile: lock until their number stays the same. */
  readonly isDeep: boolean
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

/**
 * Locks the rows that referential actions reach, so that the statement's snapshot shows them as the actions find them,
 * and nobody can add child rows. Returns their number. It is repeated to find rows inserted in between, until the
 * number stays the same.
 *
 * @param start.patch what happens to the statement's own rows, see {@link reachedRows}
 * @param start.addresses where these rows are, see {@link lockRows}: they are not chosen again
 * @param start.condition which of them
 */
export function lockReachedRows(
  { table, target, reference }: Omit<Target, 'select' | 'strength'>,
  reach: Reach,
  { patch, addresses, condition }: { patch: string; addresses: string; condition?: string | undefined },
): string {
  const locks = reach.tables.flatMap((table, node) => {
    if (!reach.edges.some((edge) => edge.key.child === table)) return []
    const child = own('child')
    const cte = [
      `${own(`locked_${node}`)} AS MATERIALIZED (SELECT FROM ${own('reached')} AS r JOIN ${scanOf(table)} AS ${child}`,
      `ON ${child}.tableoid = r.relation AND ${child}.ctid = r."row"`,
      `WHERE r.node = ${node} ${affectedLock(reach, table)} OF ${child})`,
    ]
    return [{ cte: cte.join(' '), count: `(SELECT pg_catalog.count(*) FROM ${own(`locked_${node}`)})` }]
  })
  const chosen = isLocked(table, (name) => `${reference}.${name}`, addresses)
  const rows = [
    `SELECT ${reference}.tableoid, ${reference}.ctid, ${patch} FROM ${target}`,
    `WHERE ${chosen}${condition === undefined ? '' : ` AND (${condition})`}`,
  ].join(' ')
  const start = `${own('start')}(relation, "row", patch) AS (${rows})`
  return [
    `WITH RECURSIVE ${[start, reachedRows(reach), ...locks.map(({ cte }) => cte)].join(',\n')}`,
    `SELECT (${locks.map(({ count }) => count).join(' + ')})::int4`,
  ].join('\n')
}

/** Before an update the new keys are unknown; it is enough to know that they will change. */
export function expectedPatch(reach: Reach, assigned: readonly string[]): string {
  const referenced = reach.edges.filter((edge) => edge.on === 'update').flatMap((edge) => edge.key.pairs)
  const names = [...new Set(referenced.map((pair) => pair.parent.name))].filter((name) =>
    assigned.includes(name),
  )
  return `pg_catalog.jsonb_build_object(${names.map((name) => `${quoteLiteral(name)}, NULL`).join(', ')})`
}
