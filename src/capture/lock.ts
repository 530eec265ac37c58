import { lockClause } from './before-state.ts'
import type { Table } from './catalog.ts'
import { own } from './entry.ts'
import { affectedLock, type Reach, reachedRows, scanOf } from './referential-actions.ts'
import { tableOf, type WriteStatement } from './statement.ts'
import { conflictCondition, conflictKey } from './upsert.ts'

/**
 * Locks the rows that a statement is about to change, so that the statement's snapshot comes after the lock. It then
 * sees every child row: an insert of another one waits for the lock on its parent. Gives the rows' addresses.
 */
export function lockRows(statement: WriteStatement, table: Table): string {
  return `${selectRows(statement, table, `${statement.reference}.ctid::text`)}\n${lockClause(statement, table)} OF ${statement.reference}`
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
  const rows = `${own('start')}(relation, "row", patch) AS (${selectRows(statement, start as Table, address)})`
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

function selectRows(statement: WriteStatement, table: Table, columns: string): string {
  if (statement.kind === 'insert') {
    const key = conflictKey(statement, table)
    const condition = key ? conflictCondition(key, statement.reference) : 'false'
    return `SELECT ${columns} FROM ${tableOf(statement)} WHERE ${condition}`
  }
  const { from, where, target } = statement
  return [
    statement.with ?? '',
    `SELECT ${columns} FROM ${target}${from === undefined ? '' : `, ${from}`}`,
    where === undefined ? '' : `WHERE ${where}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}
