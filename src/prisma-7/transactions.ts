import { onePerVersion } from '../one-per-process.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type ClientInternals, clientWithTransactions } from './internals.ts'
import { connectionOf } from './log-connection.ts'
import { auditOf, registerAudit } from './registry.ts'
import { replaceOnce } from './replace-once.ts'

/** An interactive transaction of an audited client. */
interface InteractiveTransaction {
  /** Runs the log's own SQL inside it. */
  readonly connection: SqlClient
  /** The transaction around a nested one. */
  outer: InteractiveTransaction | undefined
  /** Whether a call in it, or in one nested in it, writes to something recorded. */
  attemptedWrite: boolean
}

/** By the object that query hooks get as a call's transaction, and by the transaction's client. */
const transactions = onePerVersion('transactions', () => new WeakMap<object, InteractiveTransaction>())

/** Runs the log's own SQL inside an interactive transaction, identified as in a query hook. */
export function connectionInside(handle: object): SqlClient | undefined {
  return transactions.get(handle)?.connection
}

/** Notes that a call in this interactive transaction writes: if the commit fails, that is worth an entry. */
export function noteWrite(handle: object): void {
  let transaction = transactions.get(handle)
  while (transaction?.outer) transaction = transaction.outer
  if (transaction) transaction.attemptedWrite = true
}

/**
 * Gives the client of every interactive transaction an `$audit` of its own: `tx.$audit.record(…)` commits with `tx`.
 * Prisma makes that client with `_createItxClient`, on what `$extends` made of the base client.
 *
 * @throws AuditError `AUDIT_UNSUPPORTED_CLIENT` when Prisma makes it in another way
 */
export function auditTransactions(client: ClientInternals): void {
  const base = clientWithTransactions(client)
  replaceOnce(
    base,
    '_createItxClient',
    (create) =>
      function (this: ClientInternals, ...parameters) {
        const transaction = create.apply(this, parameters)
        const audit = auditOf(this)
        if (!audit) return transaction
        const connection = connectionOf(create.apply(base, parameters))
        const join = (other: object) => create.apply(other as ClientInternals, parameters)
        const $audit = audit.openTransaction(connection, join)
        registerAudit($audit, audit)
        const audited = new Proxy(transaction, {
          get: (target, key) => (key === '$audit' ? $audit : Reflect.get(target, key, target)),
        })
        const [handle] = parameters
        if (typeof handle === 'object' && handle !== null) {
          const opened = { connection, outer: undefined, attemptedWrite: false }
          transactions.set(handle, opened)
          transactions.set(audited, opened)
        }
        return audited
      },
  )
  replaceOnce(
    base,
    '_transactionWithCallback',
    (run) =>
      async function (this: ClientInternals, { callback, ...parameters }) {
        const outer = transactions.get(this)
        let done: InteractiveTransaction | undefined
        const noting = async (client: object) => {
          const transaction = transactions.get(client)
          if (transaction) transaction.outer = outer
          const result = await callback(client)
          done = transaction
          return result
        }
        try {
          return await run.call(this, { ...parameters, callback: noting })
        } catch (error) {
          // a nested one is part of the outer one, which has not ended
          if (done?.attemptedWrite && !outer) await auditOf(this)?.commitFailed(error)
          throw error
        }
      },
  )
}
