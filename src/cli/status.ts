import { styleText } from 'node:util'
import { AuditError } from '../errors.ts'
import { type ConnectionLike, countEntries, type EntryCount, readCatalog } from './catalog.ts'
import { type Check, checkLog } from './checks.ts'
import { loadPrismaConfig } from './prisma-config.ts'
import { tableOption } from './usage.ts'

/** What `status` found. */
export interface Status {
  /** Everything required is there; warnings leave it true. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** Null when the table is not there or can't be read. */
  readonly entries: EntryCount | null
}

/**
 * Checks the log in a database: table, columns, triggers, indexes, and what the connection's role may do.
 *
 * @throws AuditError `AUDIT_CLI` when the database can't be asked.
 */
export async function readStatus(url: string, table?: string): Promise<Status> {
  const name = tableOption(table)
  return withConnection(url, async (connection) => {
    const catalog = await readCatalog(connection, name)
    const checks = checkLog(catalog, name)
    const log = catalog.table
    const readable = log?.schemaUsage && log.privileges.SELECT && log.columns.id && log.columns.timestamp
    const entries = readable ? await countEntries(connection, log) : null
    return { ok: checks.every(({ state }) => state !== 'missing'), checks, entries }
  })
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
    'DATABASE_URL is not set, so there is no database to ask. Set it to the connection string of your application.',
  )
}

/** The checklist for people to read. */
export function describeStatus({ ok, checks, entries }: Status, { colors }: { colors: boolean }): string {
  const marks = { ok: ['green', '✔'], warning: ['yellow', '!'], missing: ['red', '✘'] } as const
  const lines = checks.map(({ state, message }) => {
    const [color, mark] = marks[state]
    // main.ts decides on colours, for the stream that it writes to.
    return `${colors ? styleText(color, mark, { validateStream: false }) : mark} ${message}`
  })
  if (entries) lines.push(`  ${describeEntries(entries)}`)
  lines.push('', ok ? 'The audit log is in place.' : 'The audit log is not in place: see the lines marked ✘.')
  return `${lines.join('\n')}\n`
}

function describeEntries({ count, exact, newest }: EntryCount): string {
  const entries = `${exact ? '' : 'about '}${count} ${count === 1 ? 'entry' : 'entries'}`
  return newest === null ? entries : `${entries}, the newest of ${newest}`
}

async function withConnection<T>(url: string, ask: (connection: ConnectionLike) => Promise<T>): Promise<T> {
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
    throw new AuditError(
      'AUDIT_CLI',
      `The database could not be asked: ${causeText(cause)}. Check DATABASE_URL and that the server is up.`,
      { cause },
    )
  }
}

async function importAdapter(): Promise<typeof import('@prisma/adapter-pg')> {
  try {
    return await import('@prisma/adapter-pg')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_CLI',
      'The package @prisma/adapter-pg, which status connects with, is not installed. Run: npm install @prisma/adapter-pg',
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
