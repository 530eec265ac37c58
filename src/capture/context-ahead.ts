import type { Attribution } from '../attribution.ts'
import { type AdapterLike, type Connection, isPool } from '../postgres/connection.ts'
import type { ContextStatement } from './plan.ts'

/**
 * Tells triggers who acts while `work` runs, with a statement before it. In a transaction that goes on, another
 * statement undoes that; our own transaction ends with `work`.
 *
 * @param connection where the transaction came from: a pool, or the transaction itself
 */
export async function tellingWhoActs<T>(
  { sql, parameters }: ContextStatement,
  transaction: Connection,
  connection: Connection | AdapterLike,
  attribution: Attribution,
  work: () => Promise<T>,
): Promise<T> {
  const { args, argTypes } = parameters.bind(attribution)
  await transaction.queryRaw({ sql, args, argTypes })
  const result = await work()
  if (!isPool(connection)) await transaction.queryRaw({ sql, args: args.map(() => null), argTypes })
  return result
}
