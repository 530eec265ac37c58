import { AuditError } from '../errors.ts'
import { unansweredQuestion } from '../log/readable.ts'
import { importAdapterPg } from '../postgres/adapter-pg.ts'
import { type Connection, plain, queryOf } from '../postgres/connection.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { serverMessageOf, sqlStateOf } from '../postgres/sql-state.ts'
import { hostAndPort } from './database-url.ts'

/**
 * Opens a connection that only reads, and closes it after `ask`.
 *
 * @param log the table that `ask` asks
 * @throws AuditError `AUDIT_CLI` when there is no connection, `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE` when the log gives
 *   no answer; errors of ours that `ask` throws as they are
 */
export function withConnection<T>(
  url: string,
  log: TableName,
  ask: (connection: Connection) => Promise<T>,
): Promise<T> {
  return openConnection(url, log, { max: 1, begin: 'SET default_transaction_read_only = on' }, ask)
}

/** The same for a few connections that may write, and are opened anew when they are lost. */
export function withWritingConnection<T>(
  url: string,
  log: TableName,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return openConnection(url, log, { max: 4, begin: 'SELECT 1' }, work)
}

async function openConnection<T>(
  url: string,
  log: TableName,
  { max, begin }: { max: number; begin: string },
  ask: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { PrismaPg } = await importAdapterPg()
  const factory = new PrismaPg({ connectionString: url, connectionTimeoutMillis: 10_000, max })
  const connection: Connection & { dispose(): Promise<void> } = await factory.connect()
  try {
    await connection.queryRaw(plain(begin)).catch((cause: unknown) => {
      throw noConnection(cause, url)
    })
    return await ask(connection).catch((cause: unknown) => {
      throw noAnswer(cause, url, log)
    })
  } finally {
    await connection.dispose()
  }
}

/** Why the log was not read over an open connection. */
export function noAnswer(cause: unknown, url: string, log: TableName): AuditError {
  if (cause instanceof AuditError) return cause
  if (sqlStateOf(cause) === undefined) return noConnection(cause, url)
  const { code, message } = unansweredQuestion(cause, log)
  const said = serverMessageOf(cause)
  return new AuditError(code, said === undefined ? message : `${message} PostgreSQL said: ${said}.`, {
    cause,
  })
}

function noConnection(cause: unknown, url: string): AuditError {
  const said = serverMessageOf(cause)
  const state =
    said === undefined
      ? `No database answers at ${hostAndPort(url)}${driverReason(cause)}. Check that the server runs`
      : `The database at ${hostAndPort(url)} refused the connection: ${said}. Check user, password and database`
  return new AuditError(
    'AUDIT_CLI',
    `${state}, and the connection string: DATABASE_URL, or else the Prisma config.`,
    {
      cause,
    },
  )
}

/** What the driver says, where it is more than that nobody answers. */
function driverReason(error: unknown): string {
  const { kind, reason } = ((error as { cause?: unknown }).cause ?? {}) as { kind?: string; reason?: string }
  if (kind === 'DatabaseNotReachable') return ''
  return ` (${reason ?? kind ?? (error instanceof Error ? error.message : String(error))})`
}

/** The same connection for the log's helpers: rows as objects, with values as Prisma's raw queries give them. */
export function logConnection(connection: Connection): SqlClient {
  return {
    async query<Row>(sql: string, ...values: readonly unknown[]) {
      const { columnNames, columnTypes, rows } = await connection.queryRaw(queryOf(sql, values))
      return rows.map((row) =>
        Object.fromEntries(
          columnNames.map((name, index) => [name, parseValue(row[index], columnTypes[index])]),
        ),
      ) as Row[]
    },
  }
}

/** `ColumnTypeEnum` of Prisma's driver adapters, as far as the log has columns of the type. */
const columnType = { bigint: 1, timestamp: 10, json: 11 }

function parseValue(value: unknown, type: number | undefined): unknown {
  if (value === null) return null
  if (type === columnType.bigint) return BigInt(String(value))
  if (type === columnType.timestamp) return new Date(String(value))
  return type === columnType.json ? JSON.parse(String(value)) : value
}
