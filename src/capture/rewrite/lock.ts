import type { Table } from '../../postgres/catalog.ts'
import { columnOf, own } from '../../postgres/identifiers.ts'
import { tableOf, type WriteStatement, withCondition } from '../parse/statement.ts'
import { conflictCondition, conflictKey } from '../parse/upsert.ts'
import { affectedLock, type Reach, reachedRows, scanOf } from './referential-actions.ts'

/**
 * Locks the rows that a statement is about to change, so that the statement's snapshot comes after the lock. It then
 * sees every child row: an insert of another one waits for the lock on its parent. Gives the rows' addresses.
 */
export function lockRows(statement: WriteStatement, table: Table, reach: Reach | undefined): string {
  const rows = selectRows(
    statement,
    table,
    `${addressOf(statement, table).sql}::text`,
    keyChange(statement, reach),
  )
  return `${rows}\n${lockClause(statement, table)} OF ${statement.reference}`
}

/**
 * The statement, confined to the rows that {@link lockRows} has locked. A row that has come to match since would have
 * children that nobody locked; had the statement run at the time of the lock, it would not have seen that row either.
 *
 * @param locked an SQL expression of type text: the addresses as an array
 */
export function confine(
  statement: WriteStatement,
  table: Table,
  reach: Reach | undefined,
  locked: () => string,
): WriteStatement {
  if (statement.kind === 'insert') return statement
  const address = addressOf(statement, table)
  const isLocked = `${address.sql} = ANY (${locked()}::${address.type}[])`
  // rows whose key stays set nothing off, and were not locked
  const change = keyChange(statement, reach)
  const condition = change === undefined ? isLocked : `(${isLocked} OR NOT (${change}))`
  return withCondition(statement, condition)
}

/** A row's address; across partitions and inheriting tables it takes the table, too. */
function addressOf({ reference }: WriteStatement, table: Table): { sql: string; type: string } {
  const isOneTable = table.kind === 'r' && !table.inherited
  return isOneTable
    ? { sql: `${reference}.ctid`, type: 'pg_catalog.tid' }
    : { sql: `(${reference}.tableoid::text || ${reference}.ctid::text)`, type: 'pg_catalog.text' }
}

/**
 * The lock that the statement itself takes (PostgreSQL manual, "Row-Level Locks"). A stronger one would block inserts
 * of child rows that an update leaves alone, and could deadlock where the statement alone does not.
 */
function lockClause(statement: WriteStatement, table: Table): 'FOR UPDATE' | 'FOR NO KEY UPDATE' {
  const keys = table.uniqueKeys.flatMap((key) => key.columns)
  const mayChangeKey = keys.some((column) => statement.assigned.includes(column.name))
  return statement.kind === 'delete' || mayChangeKey ? 'FOR UPDATE' : 'FOR NO KEY UPDATE'
}

/**
 * The condition that an update really changes a key that foreign keys refer to. Saving a whole object assigns its key to
 * itself, and sets nothing off. Undefined where the new value can't be said beforehand: then every row may change.
 */
function keyChange(
  { kind, assigned, plainValues, reference }: WriteStatement,
  reach: Reach | undefined,
): string | undefined {
  if (kind !== 'update' || !reach) return undefined
  const [start] = reach.tables
  const referenced = reach.edges.filter((edge) => edge.key.parent === start).flatMap((edge) => edge.key.pairs)
  const columns = [...new Set(referenced.map((pair) => pair.parent))].filter(({ name }) =>
    assigned.includes(name),
  )
  const changes = columns.map((column) => {
    const value = plainValues.get(column.name)
    return value && `${columnOf(reference, column)} IS DISTINCT FROM (${value})`
  })
  return changes.every((change) => change !== undefined) ? changes.join(' OR ') : undefined
}

/**
 * Locks the rows that referential actions reach, so that the statement's snapshot shows them as the actions find them,
 * and nobody can add a row below them. Gives their number: rows that came in between are found by asking again, until
 * the number stays the same.
 */
export function lockReachedRows(statement: WriteStatement, reach: Reach): string {
  const [start] = reach.tables
  const address = `${statement.reference}.tableoid, ${statement.reference}.ctid, ${startPatch(statement, reach)}`
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
  const rows = `${own('start')}(relation, "row", patch) AS (${selectRows(statement, start as Table, address, keyChange(statement, reach))})`
  return [
    `WITH RECURSIVE ${[rows, reachedRows(reach), ...locks.map(({ cte }) => cte)].join(',\n')}`,
    `SELECT (${locks.map(({ count }) => count).join(' + ')})::int4`,
  ].join('\n')
}

/** Before an update nobody knows the new keys; that they are going to change is enough to follow them. */
function startPatch(statement: WriteStatement, reach: Reach): string {
  if (statement.kind === 'delete') return 'NULL::jsonb'
  const referenced = reach.edges.filter((edge) => edge.on === 'update').flatMap((edge) => edge.key.pairs)
  const names = [...new Set(referenced.map((pair) => pair.parent.name))].filter((name) =>
    statement.assigned.includes(name),
  )
  return `pg_catalog.jsonb_build_object(${names.map((name) => `'${name.replaceAll("'", "''")}', NULL`).join(', ')})`
}

function selectRows(statement: WriteStatement, table: Table, columns: string, condition?: string): string {
  if (statement.kind === 'insert') {
    const key = conflictKey(statement, table)
    return `SELECT ${columns} FROM ${tableOf(statement)} WHERE ${key ? conflictCondition(key, statement.reference) : 'false'}`
  }
  const { from, where, target } = statement
  const conditions = [where, condition].filter((one) => one !== undefined).map((one) => `(${one})`)
  return [
    ...(statement.with ? [statement.with] : []),
    `SELECT ${columns} FROM ${target}${from === undefined ? '' : `, ${from}`}`,
    ...(conditions.length > 0 ? [`WHERE ${conditions.join(' AND ')}`] : []),
  ].join('\n')
}
