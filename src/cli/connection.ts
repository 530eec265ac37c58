import { AuditError } from '../errors.ts'
import { importAdapterPg } from '../postgres/adapter-pg.ts'
import { type Connection, queryOf } from '../postgres/connection.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { loadPrismaConfig } from './prisma-config.ts'

/**
 * The database to ask: `DATABASE_URL`, else the `datasource.url` of the project's `prisma.config.ts`, which may be
 * the one place that loads a `.env`.
 *
 * @throws AuditError `AUDIT_CLI` when neither is set.
 */
export async function databaseUrl(directory: string): Promise<string> {
  const url = process.env.DATABASE_URL || (await loadPrismaConfig(directory)).datasource?.url
  if (url) return url
  throw new AuditError(
    'AUDIT_CLI',
    'DATABASE_URL is not set, so there is no database to check. Set it to the connection string of your application.',
  )
}

/** @throws AuditError `AUDIT_CLI` when the database can't be asked; errors of ours that `ask` throws as they are */
export async function withConnection<T>(
  url: string,
  ask: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { PrismaPg } = await importAdapterPg()
  try {
    const factory = new PrismaPg({ connectionString: url, connectionTimeoutMillis: 10_000, max: 1 })
    const connection = await factory.connect()
    try {
      return await ask(connection)
    } finally {
      await connection.dispose()
    }
  } catch (cause) {
    if (cause instanceof AuditError) throw cause
    throw new AuditError(
      'AUDIT_CLI',
      `The database could not be asked: ${causeText(cause)}. Check DATABASE_URL and that the server is up.`,
      { cause },
    )
  }
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

/** A driver adapter's error says what happened in its `cause`. */
export function causeText(error: unknown): string {
  const { cause } = error as { cause?: { originalMessage?: string; message?: string } }
  const text =
    cause?.originalMessage ?? cause?.message ?? (error instanceof Error ? error.message : String(error))
  return text.replace(/\.$/, '')
}
