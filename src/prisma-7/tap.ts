import { capture } from '../capture/capture.ts'
import { Database } from '../capture/database.ts'
import { currentScope, type ProbeScope } from '../capture/scope.ts'
import type {
  AdapterFactoryLike,
  AdapterLike,
  Connection,
  SqlQuery,
  SqlResult,
} from '../postgres/connection.ts'
import { override } from './override.ts'
import { endsTransaction, refuseAfterEnd } from './refuse-after-end.ts'
import { replaceOnce } from './replace-once.ts'

/**
 * Puts the tap between Prisma and the database: every adapter that this factory connects from now on hands each
 * statement to the scope it runs in. Without a scope it passes everything through, so an unaudited client on the
 * same factory stays as it is. A factory is tapped once, however many clients share it.
 */
export function tapFactory(factory: AdapterFactoryLike): void {
  replaceOnce(
    factory,
    'connect',
    (connect) =>
      async function tappedConnect(this: AdapterFactoryLike) {
        return tapAdapter(await connect.call(this))
      },
  )
}

function tapAdapter(adapter: AdapterLike): AdapterLike {
  const database = new Database(adapter.getConnectionInfo?.().schemaName ?? 'public')
  const tappedAdapter: AdapterLike = override(adapter, {
    ...intercept(adapter, database, () => tappedAdapter),
    startTransaction: async (isolationLevel?: unknown) => {
      const transaction = refuseAfterEnd(await adapter.startTransaction(isolationLevel), (ended) =>
        database.ended(ended),
      )
      return override(
        transaction,
        intercept(transaction, database, () => tappedAdapter),
      )
    },
  })
  return tappedAdapter
}

function intercept(
  connection: Connection | AdapterLike,
  database: Database,
  self: () => AdapterLike,
): Connection {
  return {
    queryRaw(query) {
      const scope = currentScope()
      if (scope === undefined) return connection.queryRaw(query)
      if (scope.kind === 'probe') return Promise.resolve(answerProbe(scope, self()))
      const run = (on: Connection, asked: SqlQuery) => on.queryRaw(asked)
      return capture({ query, connection, database, scope, want: 'rows', run, resultOf: (result) => result })
    },
    executeRaw(query) {
      const scope = currentScope()
      // the end of a transaction needs no plan, and must work even if none can be made: without it, the connection
      // would return to the pool inside the transaction, and the next caller's writes would become part of it
      if (scope === undefined || endsTransaction(query)) return connection.executeRaw(query)
      if (scope.kind === 'probe') return Promise.resolve(countOf(answerProbe(scope, self())))
      const run = (on: Connection, asked: SqlQuery) => on.executeRaw(asked)
      return capture({ query, connection, database, scope, want: 'count', run, resultOf: countOf })
    },
  }
}

function answerProbe(probe: ProbeScope, adapter: AdapterLike): SqlResult {
  probe.answer = adapter
  return { columnNames: [], columnTypes: [], rows: [] }
}

function countOf({ rows }: SqlResult): number {
  return Number(rows[0]?.[0] ?? 0)
}
