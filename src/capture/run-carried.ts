import type { Attribution } from '../attribution.ts'
import { inTransaction, type SqlQuery } from '../postgres/connection.ts'
import { withoutLastColumns } from '../postgres/result.ts'
import { tellingWhoActs } from './context-ahead.ts'
import type { CarriedPlan } from './plan.ts'
import type { StatementAtHand } from './statement-at-hand.ts'

/**
 * Runs a statement that carries its context in one more expression. Another statement runs only if rows need it
 * earlier.
 */
export function runCarried<T>(
  { sql, parameters, surplus, ahead }: CarriedPlan,
  { query, connection, want, run, resultOf }: StatementAtHand<T>,
  attribution: Attribution,
): Promise<T> {
  const { args, argTypes } = parameters.bind(attribution)
  const carrying: SqlQuery = {
    sql,
    args: [...query.args, ...args],
    argTypes: [...query.argTypes, ...argTypes],
  }
  const runOn: typeof run = (on) =>
    want === 'rows'
      ? on.queryRaw(carrying).then((result) => resultOf(withoutLastColumns(result, surplus)))
      : run(on, carrying)
  if (!ahead) return runOn(connection, query)
  return inTransaction(connection, (transaction) =>
    tellingWhoActs(ahead, transaction, connection, attribution, () => runOn(transaction, query)),
  )
}
