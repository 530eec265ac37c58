import { AuditError } from '../errors.ts'
import type { ArchivedLog } from '../log/archived-log.ts'
import { configuredArchive } from '../parquet/archived-entries.ts'
import { parseTableName, type TableName } from '../postgres/identifiers.ts'
import { auditOf, tableOfLog } from '../prisma-7/registry.ts'
import type { SearchFilter } from '../search/filter.ts'
import { fixedConditions } from './data/fixed-conditions.ts'
import { connectionOfClient, connectionTo, type ReadConnection } from './data/read-connection.ts'
import { sqlLogReader } from './data/sql-log-reader.ts'
import { type PageHandler, webPageHandler } from './server/handler.ts'

export type { PageHandler } from './server/handler.ts'
export { type NodeRequestLike, toNodeHandler } from './server/node.ts'

/** Milliseconds for the list of what has left. */
const timeForArchives = 5_000

export interface AuditPageOptions {
  /** Where the web page is mounted, such as `/audit`. With Express and `toNodeHandler`, Express says it. */
  basePath?: string
  /** The log's table, `name` or `schema.name`. Default: the one that the audited client writes to, or `audit_logs`. */
  table?: string
  /**
   * Fixes the page to the entries that meet a filter, as `search` takes it, such as those of one organization. Nothing that a
   * visitor can ask for goes beyond: no other filter, address, cursor, record, transaction, count or export. A page costs
   * nothing to make, so make one for each visitor.
   */
  filter?: SearchFilter
  /** Called with errors; the web page shows only a summary, without any text from the database. */
  onError?: (error: unknown) => void
}

/** What the web page needs of a Prisma client, audited or not. */
export interface PageClientLike {
  $queryRawUnsafe: unknown
  $transaction: unknown
}

/**
 * The web page of the log as a handler in the style of `fetch`, to mount in an application **behind its own
 * authentication**: anyone who can reach it can read the whole log, or what the option `filter` leaves of it. It only reads, in read-only transactions.
 *
 * What has left the table for the archive is listed, opened and exported, too, where the client has the option `retention`.
 *
 * @param source a Prisma client, or a connection string, for which `@prisma/adapter-pg` opens at most four connections
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS`
 *
 * @example Hono
 * ```ts
 * const page = auditPage(prisma, { basePath: '/audit' })
 * app.get('/audit/*', requireAdmin, (c) => page(c.req.raw))
 * ```
 *
 * @example Next.js, app/audit/[[...path]]/route.ts
 * ```ts
 * const page = auditPage(prisma, { basePath: '/audit' })
 * export async function GET(request: Request) {
 *   await requireAdmin()
 *   return page(request)
 * }
 * ```
 *
 * @example For your customers, each of whom sees the entries of his own organization
 * ```ts
 * app.get('/audit/*', async (c) => {
 *   const { organizationId } = await currentUser(c)
 *   return auditPage(prisma, { basePath: '/audit', filter: { organizationId } })(c.req.raw)
 * })
 * ```
 *
 * @example Express: see {@link toNodeHandler}
 */
export function auditPage(source: PageClientLike | string, options: AuditPageOptions = {}): PageHandler {
  const basePath = checkedBasePath(options.basePath)
  // also where it is undefined by mistake, which must not show the whole log
  const fixed = 'filter' in options ? fixedConditions(options.filter as SearchFilter) : undefined
  const [connection, table] = [connectionFor(source), tableFor(source, options.table)]
  const reader = sqlLogReader(connection, table, { fixed, archive: archiveFor(source, connection, table) })
  const handler = webPageHandler(reader, options.onError ?? (() => {}))
  // frameworks call handlers with further arguments
  return (request, mounted) =>
    handler(request, options.basePath === undefined ? checkedBasePath(mounted) : basePath)
}

function connectionFor(source: PageClientLike | string): ReadConnection {
  if (typeof source === 'string') return connectionTo(source)
  if (typeof source?.$queryRawUnsafe === 'function' && typeof source.$transaction === 'function') {
    return connectionOfClient(source)
  }
  throw new AuditError(
    'AUDIT_INVALID_OPTIONS',
    'auditPage got neither a Prisma client nor a connection string to read the log with. Call auditPage(prisma) or auditPage(process.env.DATABASE_URL).',
  )
}

function tableFor(source: PageClientLike | string, table: string | undefined): TableName {
  if (table !== undefined) return parseTableName(table)
  return (typeof source === 'string' ? undefined : tableOfLog(source)) ?? { name: 'audit_logs' }
}

/** What an audited client with the option `retention` has of the log beside its table. */
function archiveFor(
  source: PageClientLike | string,
  connection: ReadConnection,
  table: TableName,
): ArchivedLog | undefined {
  const client: object | undefined = typeof source === 'string' ? undefined : source
  const retention = client && auditOf(client)?.log.options.retention
  return configuredArchive({ retention, table }, connection.within(timeForArchives))
}

/** `/audit/` → `/audit`, `/` → nothing. */
function checkedBasePath(path: unknown): string {
  if (typeof path !== 'string') return ''
  const trimmed = path.replace(/\/+$/, '')
  if (trimmed === '' || /^(\/[\w.~%!$&'()*+,;=:@-]+)+$/.test(trimmed)) return trimmed
  throw new AuditError(
    'AUDIT_INVALID_OPTIONS',
    `The base path ${JSON.stringify(path)} is not a path. Give the path where the page is mounted, such as "/audit".`,
  )
}
