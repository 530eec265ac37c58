import type { Attribution } from '../attribution.ts'
import { AuditError } from '../errors.ts'
import {
  type AdapterLike,
  type Connection,
  inTransaction,
  isPool,
  type SqlQuery,
} from '../postgres/connection.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import { tellingWhoActs } from './context-ahead.ts'
import { type UncapturableReason, uncapturableReasons } from './parse/uncapturable.ts'
import type { UncapturablePlan } from './plan.ts'

/** SQLSTATEs of statements that can't run inside a transaction block, or that end one. */
const refusesTransaction = new Set(['25001', '2D000'])

/**
 * Runs a statement that can't be captured row by row, with one entry `raw.execute` in the same transaction: the
 * statement's text without its values, and the reason. There is none if triggers record all that it can write to.
 */
export async function runUncapturable<T>(
  plan: UncapturablePlan,
  connection: Connection | AdapterLike,
  attribution: Attribution,
  run: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { ahead } = plan
  const record = async (on: Connection) => {
    const entry = boundEntry(plan, attribution)
    if (entry) await on.queryRaw(entry)
  }
  try {
    return await inTransaction(connection, async (transaction) => {
      await record(transaction)
      const work = () => run(transaction)
      return ahead ? tellingWhoActs(ahead, transaction, connection, attribution, work) : work()
    })
  } catch (error) {
    if (!isPool(connection) || !refusesTransaction.has(sqlStateOf(error) ?? '')) throw error
    // VACUUM, CREATE INDEX CONCURRENTLY, a procedure that commits: the entry is written first, so none can be missing
    await record(connection)
    return run(connection)
  }
}

function boundEntry({ statement, entry }: UncapturablePlan, attribution: Attribution): SqlQuery | undefined {
  if (!entry) return undefined
  const { args, argTypes } = entry.parameters.bind(attribution)
  return {
    sql: entry.sql,
    args: [statement, ...args],
    argTypes: [{ scalarType: 'string', arity: 'scalar' }, ...argTypes],
  }
}

export function refuseUncapturable(reason: UncapturableReason): AuditError {
  return new AuditError(
    'AUDIT_UNCAPTURABLE',
    `The statement can't be captured row by row (${reason}: ${uncapturableReasons[reason]}), and the option uncapturable is 'throw'. Nothing was run. Write it as plain INSERT, UPDATE or DELETE statements, or set uncapturable to 'record'.`,
  )
}
