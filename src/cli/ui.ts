import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { AuditError } from '../errors.ts'
import { configuredArchive } from '../parquet/archived-entries.ts'
import type { ResolvedRetention } from '../retention-options.ts'
import { connectionTo } from '../ui/data/read-connection.ts'
import { sqlLogReader } from '../ui/data/sql-log-reader.ts'
import { type Access, withAccess } from '../ui/server/access.ts'
import { webPageHandler } from '../ui/server/handler.ts'
import { toNodeHandler } from '../ui/server/node.ts'
import { noAnswer, withConnection } from './connection.ts'
import { tableOption, UsageError } from './usage.ts'

/** Milliseconds for the list of what has left. */
const timeForArchives = 5_000

export interface WebPageServerOptions {
  readonly port?: string | undefined
  readonly host?: string | undefined
  readonly token?: string | undefined
  readonly table?: string | undefined
  /** Of audit.config.ts: what has left the table is shown from its archive. */
  readonly retention?: ResolvedRetention | undefined
  /** Told of errors that the web page shows only a summary of. */
  readonly onError?: (message: string) => void
}

export interface WebPageServer {
  /** With the token, where one is needed. */
  readonly url: string
  /** What the command prints. */
  readonly greeting: string
  close(): Promise<void>
}

/**
 * Serves the web page of the log in a database. On a loopback address it answers this machine alone; elsewhere it wants a
 * token.
 *
 * @throws AuditError when the log can't be read, or the port is taken
 */
export async function startWebPage(url: string, options: WebPageServerOptions): Promise<WebPageServer> {
  const { host = '127.0.0.1', retention } = options
  const port = portOption(options.port)
  const access = accessFor(host, options.token)
  const table = tableOption(options.table)
  await withConnection(url, table, async () => {}) // first of all: whether there is a database
  const connection = connectionTo(url)
  const archive = configuredArchive({ retention, table }, connection.within(timeForArchives))
  const reader = sqlLogReader(connection, table, { archive })
  try {
    const { name } = await reader.overview().catch((cause: unknown) => {
      throw noAnswer(cause, url, table)
    })
    const webPage = withAccess(
      webPageHandler(reader, (error) => options.onError?.(noAnswer(error, url, table).message)),
      access,
    )
    const server = createServer(toNodeHandler(webPage))
    const address = serverUrl(host, await listen(server, port, host))
    const open = access.token ? `${address}/?token=${encodeURIComponent(access.token)}` : `${address}/`
    return {
      url: open,
      greeting: `The audit log of ${name}, read-only:\n\n  ${open}\n\nCtrl-C ends it.\n`,
      async close() {
        server.close()
        server.closeAllConnections()
        await connection.close()
      },
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

function accessFor(host: string, token: string | undefined): Access {
  if (token !== undefined && !/^[\x21-\x7e]{16,}$/.test(token)) {
    throw new UsageError('--token needs 16 characters or more, without spaces. Leave it out and one is made.')
  }
  if (!/^(127(\.\d{1,3}){3}|::1|localhost)$/i.test(host)) {
    return { token: token ?? randomBytes(24).toString('base64url') }
  }
  return {
    hosts: ['localhost', '127.0.0.1', '[::1]', host.toLowerCase()],
    ...(token !== undefined && { token }),
  }
}

function portOption(text = '4477'): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= 65_535) return port
  throw new UsageError(`--port must be a number from 0 to 65535, and ${JSON.stringify(text)} is none.`)
}

/** @returns the port, which the system chose if it was 0 */
function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      reject(
        new AuditError(
          'AUDIT_CLI',
          taken
            ? `Port ${port} of ${host} is taken, perhaps by another "prisma-extension-audit ui". Choose another with --port.`
            : `The page can't listen on ${host}, port ${port}: ${cause.message}. Choose others with --host and --port.`,
          { cause },
        ),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function serverUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
