import { runOutsideScope } from '../../capture/scope.ts'
import { importAdapterPg } from '../../postgres/adapter-pg.ts'
import { type AdapterLike, queryOf } from '../../postgres/connection.ts'
import type { SqlClient } from '../../postgres/sql-client.ts'
import { baseClient, type ClientInternals } from '../../prisma-7/internals.ts'

/**
 * Runs each statement in its own read-only transaction, in UTC and with a time limit. The settings belong to the
 * transaction: a session may be shared, as behind PgBouncer, and must not keep them.
 */
export interface ReadConnection {
  /** Returns rows as JSON: select as text what must keep every digit. */
  within(milliseconds: number): SqlClient
}

/** The web page's own pool of connections. The first statement opens one. */
export interface OwnedReadConnection extends ReadConnection {
  close(): Promise<void>
}

const settings = `SELECT pg_catalog.set_config('transaction_read_only', 'on', true),
  pg_catalog.set_config('statement_timeout', $1::text, true),
  pg_catalog.set_config('TimeZone', 'UTC', true)`

/** Each row as one text, which no adapter changes. */
function jsonRows(sql: string): string {
  return `SELECT row_to_json("row")::text AS "json" FROM (${sql}) AS "row"`
}

/** Reads on the client below all extensions, so that none of them sees the web page's statements. */
export function connectionOfClient(client: object): ReadConnection {
  const base = baseClient(client as ClientInternals) as unknown as {
    $queryRawUnsafe(sql: string, ...values: unknown[]): PromiseLike<unknown>
    $transaction(work: readonly PromiseLike<unknown>[]): Promise<unknown[]>
  }
  return {
    within: (milliseconds) => ({
      query: (sql, ...values) =>
        runOutsideScope(async () => {
          const [, rows] = await base.$transaction([
            base.$queryRawUnsafe(settings, String(milliseconds)),
            base.$queryRawUnsafe(jsonRows(sql), ...values),
          ])
          return (rows as { json: string }[]).map(({ json }) => JSON.parse(json))
        }),
    }),
  }
}

type PoolAdapter = AdapterLike & { dispose(): Promise<void> }

/** Reads on its own connections, with `@prisma/adapter-pg` as the application does. */
export function connectionTo(connectionString: string): OwnedReadConnection {
  let adapter: Promise<PoolAdapter> | undefined
  return {
    within: (milliseconds) => ({
      async query(sql, ...values) {
        adapter ??= openPool(connectionString)
        const transaction = await (await adapter).startTransaction()
        try {
          await transaction.queryRaw(queryOf(settings, [String(milliseconds)]))
          const { rows } = await transaction.queryRaw(queryOf(jsonRows(sql), values))
          return rows.map(([json]) => JSON.parse(String(json)))
        } finally {
          await transaction.executeRaw(queryOf('ROLLBACK', [])).catch(() => {})
          await transaction.rollback()
        }
      },
    }),
    async close() {
      await (await adapter)?.dispose()
    },
  }
}

/** Does not connect yet: each transaction takes a connection. */
async function openPool(connectionString: string): Promise<PoolAdapter> {
  const { PrismaPg } = await importAdapterPg()
  const pool = {
    connectionString,
    max: 4,
    connectionTimeoutMillis: 10_000,
    allowExitOnIdle: true,
    application_name: 'prisma-extension-audit ui',
  }
  return new PrismaPg(pool).connect()
}
