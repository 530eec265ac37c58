import { runOutsideScope } from '../capture/scope.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import type { ClientInternals } from './internals.ts'

/** Runs the log's own SQL on a client without extensions, or on a transaction of one. */
export function connectionOf(client: Pick<ClientInternals, '$queryRawUnsafe'>): SqlClient {
  return {
    query: <Row>(sql: string, ...values: readonly unknown[]) =>
      runOutsideScope(async () => (await client.$queryRawUnsafe(sql, ...values)) as Row[]),
  }
}
