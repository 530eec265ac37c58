import type { Table } from '../../postgres/catalog.ts'
import { columnOf, own } from '../../postgres/identifiers.ts'
import { ofChosenRows, selectMatching, type UpdateStatement, withCondition } from '../parse/statement.ts'
import { lockedReach, type RewriteInput } from './audited-statement.ts'
import { expectedPatch, isLocked, type Lock, lockRows, updateStrength } from './lock.ts'
import { lockOf } from './lock-reached.ts'
import { lockedAddress, lockedColumns, lockedRow } from './locked-rows.ts'
import type { Reach } from './referential-actions.ts'

/**
 * Locks the rows of an UPDATE, and those that referential actions reach.
 *
 * @param changing if given, only rows whose key changes are locked
 */
export function lockForUpdate(
  statement: UpdateStatement,
  table: Table,
  changing: Reach | undefined,
  input: RewriteInput,
): Lock {
  const { target, reference, assigned, from } = statement
  const condition = changing && keyChange(statement, changing)
  const rows = lockRows({
    table,
    target,
    reference,
    select: (columns: string) => selectMatching(statement, columns, condition),
    strength: updateStrength(table, assigned),
  })
  const reach = lockedReach(input)
  if (!reach) return { rows, isDeep: false }
  const start = {
    ...{ table, target, reference },
    patch: expectedPatch(reach, assigned),
    addresses: input.lockedRows,
    // with FROM, a new value may be another table's
    condition: from === undefined ? keyChange(statement, reach) : undefined,
  }
  return lockOf(rows, start, input)
}

/**
 * The statement, confined to the rows that were locked. A row that matches only since the lock has children that nobody
 * locked. At the time of the lock, the statement would not have seen it either.
 *
 * @param locked an SQL expression of type text: the addresses as an array
 */
export function confineUpdate(
  statement: UpdateStatement,
  table: Table,
  changing: Reach | undefined,
  locked: string,
): UpdateStatement {
  const condition = isLocked(table, (name) => `${statement.reference}.${name}`, locked)
  if (!changing) return ofChosenRows(statement, condition)
  // rows that keep their key trigger no action, and were not locked
  const change = keyChange(statement, changing)
  return withCondition(statement, change === undefined ? condition : `(${condition} OR NOT (${change}))`)
}

/**
 * The condition that an update really changes a key that foreign keys refer to. Saving a whole object assigns its key
 * to itself, which triggers no action. Undefined when the new value can't be known beforehand: then every row may
 * change.
 */
function keyChange({ assigned, plainValues, reference }: UpdateStatement, reach: Reach): string | undefined {
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

/** The query of the CTE `locked`: the rows about to change, in their old state. */
export function lockedQuery(
  statement: UpdateStatement,
  table: Table,
  state: 'locked' | 'locked earlier',
): string {
  const { reference } = statement
  const rows = selectMatching({ ...statement, with: undefined }, lockedColumns(table, reference))
  // the lock that an UPDATE itself takes; a stronger one could deadlock where the statement alone does not
  return state === 'locked' ? `${rows}\nFOR NO KEY UPDATE OF ${reference}` : rows
}

/** An UPDATE of the rows in `locked`, without RETURNING, and without the statement's own WITH clause. */
export function updateJoined({ from, where, set, target, reference }: UpdateStatement, table: Table): string {
  const locked = lockedRow(table)
  const join =
    table.primaryKey.length > 0
      ? table.primaryKey.map((column) => `${columnOf(reference, column)} = ${locked(column)}`)
      : (['tableoid', 'ctid'] as const).map((name) => `${reference}.${name} = ${lockedAddress(name)}`)
  // with other tables in FROM, the condition also says which of their rows to join
  const condition = from !== undefined && where !== undefined ? [`(${where})`] : []
  return [
    `UPDATE ${target} SET ${set}`,
    `FROM ${from === undefined ? '' : `${from}, `}${own('locked')}`,
    `WHERE ${[...condition, ...join].join(' AND ')}`,
  ].join('\n')
}
