import { AuditError } from '../errors.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { loadPrismaConfig } from './prisma-config.ts'

/** What a driver adapter's connection gives. */
interface RawResult {
  readonly columnNames: string[]
  readonly columnTypes: number[]
  readonly rows: unknown[][]
}

/** A connection that runs one statement: the part of a Prisma driver adapter in use. */
export interface ConnectionLike {
  queryRaw(query: {
    sql: string
    args: unknown[]
    argTypes: { scalarType: 'string'; arity: 'scalar' | 'list' }[]
  }): Promise<RawResult>
}

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
  ask: (connection: ConnectionLike) => Promise<T>,
): Promise<T> {
  const { PrismaPg } = await importAdapter()
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
export function logConnection(connection: ConnectionLike): SqlClient {
  return {
    async query<Row>(sql: string, ...values: readonly unknown[]) {
      const argTypes = values.map((value) => ({
        scalarType: 'string' as const,
        arity: Array.isArray(value) ? ('list' as const) : ('scalar' as const),
      }))
      const { columnNames, columnTypes, rows } = await connection.queryRaw({
        sql,
        args: [...values],
        argTypes,
      })
      return rows.map((row) =>
        Object.fromEntries(columnNames.map((name, index) => [name, revive(row[index], columnTypes[index])])),
      ) as Row[]
    },
  }
}

/** `ColumnTypeEnum` of Prisma's driver adapters, as far as the log has columns of the type. */
const columnType = { bigint: 1, timestamp: 10, json: 11 }

function revive(value: unknown, type: number | undefined): unknown {
  if (value === null) return null
  if (type === columnType.bigint) return BigInt(String(value))
  if (type === columnType.timestamp) return new Date(String(value))
  return type === columnType.json ? JSON.parse(String(value)) : value
}

async function importAdapter(): Promise<typeof import('@prisma/adapter-pg')> {
  try {
    return await import('@prisma/adapter-pg')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_CLI',
      'The package @prisma/adapter-pg, which this command connects with, is not installed. Run: npm install @prisma/adapter-pg',
      { cause },
    )
  }
}

/** A driver adapter's error says what happened in its `cause`. */
export function causeText(error: unknown): string {
  const { cause } = error as { cause?: { originalMessage?: string; message?: string } }
  const text =
    cause?.originalMessage ?? cause?.message ?? (error instanceof Error ? error.message : String(error))
  return text.replace(/\.$/, '')
}
