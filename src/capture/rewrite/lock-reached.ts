import { own } from '../../postgres/identifiers.ts'
import { askReached } from './ask-reached.ts'
import type { RewriteInput } from './audited-statement.ts'
import { type Lock, type LockedStart, lockedStart } from './lock.ts'
import { affectedLock, type Reach, reachedRows, scanOf } from './referential-actions.ts'

/**
 * The lock of rows, and of those that they reach.
 *
 * @param input.wholeReach see {@link RewriteInput}
 */
export function lockOf(
  rows: string,
  start: LockedStart,
  { reach, wholeReach }: Pick<RewriteInput, 'reach' | 'wholeReach'>,
): Lock {
  return {
    rows,
    ...(reach && { reached: lockReachedRows(start, reach) }),
    isDeep: reach?.isDeep ?? false,
    ask: wholeReach && askReached(start, reach, wholeReach),
  }
}

/**
 * Locks the rows that referential actions reach, so that the statement's snapshot shows them as the actions find them,
 * and nobody can add child rows. Returns their number. It is repeated to find rows inserted in between, until the
 * number stays the same.
 */
function lockReachedRows(start: LockedStart, reach: Reach): string {
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
  return [
    `WITH RECURSIVE ${[lockedStart(start), reachedRows(reach), ...locks.map(({ cte }) => cte)].join(',\n')}`,
    `SELECT (${locks.map(({ count }) => count).join(' + ')})::int4`,
  ].join('\n')
}
