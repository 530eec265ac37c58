import { runOutsideScope } from '../../capture/scope.ts'
import { AuditError } from '../../errors.ts'
import { baseClient, type ClientInternals } from '../../prisma-7/internals.ts'

/**
 * Runs one statement in a read-only transaction of its own, in UTC and with a limit of time. The settings are the
 * transaction's: a session may be shared, as behind PgBouncer, and must not keep them.
 */
export interface ReadConnection {
  /** @param sql a statement that selects one column of text, JSON each */
  read<Row>(sql: string, values: readonly string[], milliseconds: number): Promise<Row[]>
}

/** A pool of connections of the page's own. The first statement opens one. */
export interface OwnedReadConnection extends ReadConnection {
  close(): Promise<void>
}

const settings = `SELECT pg_catalog.set_config('transaction_read_only', 'on', true),
  pg_catalog.set_config('statement_timeout', $1::text, true),
  pg_catalog.set_config('TimeZone', 'UTC', true)`

/** Reads on the client below all extensions, so that none of them sees the page's statements. */
export function connectionOfClient(client: object): ReadConnection {
  const base = baseClient(client as ClientInternals) as unknown as {
    $queryRawUnsafe(sql: string, ...values: unknown[]): PromiseLike<unknown>
    $transaction(work: readonly PromiseLike<unknown>[]): Promise<unknown[]>
  }
  return {
    read: (sql, values, milliseconds) =>
      runOutsideScope(async () => {
        const [, rows] = await base.$transaction([
          base.$queryRawUnsafe(settings, String(milliseconds)),
          base.$queryRawUnsafe(`SELECT "row"."json"::text FROM (${sql}) AS "row" ("json")`, ...values),
        ])
        return (rows as { json: string }[]).map(({ json }) => JSON.parse(json))
      }),
  }
}

type SqlDriverAdapter = Awaited<ReturnType<InstanceType<PrismaPgModule['PrismaPg']>['connect']>>
type PrismaPgModule = typeof import('@prisma/adapter-pg')

/** Reads on connections of its own, by `@prisma/adapter-pg` as the application does. */
export function connectionTo(connectionString: string): OwnedReadConnection {
  let adapter: Promise<SqlDriverAdapter> | undefined
  return {
    async read(sql, values, milliseconds) {
      adapter ??= openPool(connectionString)
      const transaction = await (await adapter).startTransaction()
      const query = async (text: string, args: readonly string[]) => {
        const argTypes = args.map(() => ({ scalarType: 'string', arity: 'scalar' }) as const)
        return (await transaction.queryRaw({ sql: text, args: [...args], argTypes })).rows
      }
      try {
        await query(settings, [String(milliseconds)])
        const rows = await query(`SELECT "row"."json"::text FROM (${sql}) AS "row" ("json")`, values)
        return rows.map(([json]) => JSON.parse(String(json)))
      } finally {
        await transaction.executeRaw({ sql: 'ROLLBACK', args: [], argTypes: [] }).catch(() => {})
        await transaction.rollback()
      }
    },
    async close() {
      await (await adapter)?.dispose()
    },
  }
}

/** Connects to nothing yet: each transaction takes a connection. */
async function openPool(connectionString: string): Promise<SqlDriverAdapter> {
  const { PrismaPg } = await importAdapter()
  const pool = {
    connectionString,
    max: 4,
    connectionTimeoutMillis: 10_000,
    allowExitOnIdle: true,
    application_name: 'prisma-extension-audit ui',
  }
  return new PrismaPg(pool).connect()
}

async function importAdapter(): Promise<PrismaPgModule> {
  try {
    return await import('@prisma/adapter-pg')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      'The package @prisma/adapter-pg, which the page connects with, is not installed. Run npm install @prisma/adapter-pg, or hand auditPage a Prisma client.',
      { cause },
    )
  }
}
