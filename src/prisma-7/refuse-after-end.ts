import type { Connection, SqlQuery, TransactionLike } from '../postgres/connection.ts'
import { override } from './override.ts'

/**
 * The same transaction, but it refuses every statement once it has ended. One Prisma call may be several of our
 * statements. When Prisma's time-out ends the transaction between two of them, the next one would run on a connection
 * that is free again, outside any transaction, and commit.
 */
export function refuseAfterEnd(
  transaction: TransactionLike,
  onEnd: (transaction: Connection) => void,
): TransactionLike {
  let ended = false
  const refuseIfEnded = () => {
    if (ended) throw transactionEnded()
  }
  const guarded: TransactionLike = override(transaction, {
    queryRaw: async (query) => {
      refuseIfEnded()
      return transaction.queryRaw(query)
    },
    executeRaw: async (query) => {
      refuseIfEnded()
      if (endsTransaction(query)) ended = true
      return transaction.executeRaw(query)
    },
    commit: () => {
      ended = true
      return transaction.commit().finally(() => onEnd(guarded))
    },
    rollback: () => {
      ended = true
      return transaction.rollback().finally(() => onEnd(guarded))
    },
  })
  return guarded
}

export function endsTransaction({ sql }: SqlQuery): boolean {
  return sql === 'COMMIT' || sql === 'ROLLBACK'
}

/** In the form of a driver adapter's error, so that Prisma makes its own error from it. */
function transactionEnded(): Error {
  const reason =
    'The transaction ended, by its time-out or because it was not awaited, before this statement ran.'
  return Object.assign(new Error(reason, { cause: { kind: 'TransactionAlreadyClosed', cause: reason } }), {
    name: 'DriverAdapterError',
  })
}
