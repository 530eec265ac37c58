import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PageHandler } from './handler.ts'

/** A request of Node or Express; the latter says where the handler is mounted. */
export type NodeRequestLike = IncomingMessage & { baseUrl?: string; originalUrl?: string }

/**
 * Turns the web page into a handler for Node's `http`, Express or Connect. Mounted by `app.use('/audit', …)`, it finds
 * its own path.
 *
 * @example
 * ```ts
 * import { auditPage, toNodeHandler } from 'prisma-extension-audit/ui'
 *
 * app.use('/audit', requireAdmin, toNodeHandler(auditPage(prisma)))
 * ```
 */
export function toNodeHandler(
  webPage: PageHandler,
): (request: NodeRequestLike, response: ServerResponse, next?: (error?: unknown) => void) => void {
  return (request, response, next) => {
    respond(webPage, request, response).catch((error: unknown) => {
      if (next) next(error)
      else response.destroy(error as Error)
    })
  }
}

async function respond(
  webPage: PageHandler,
  request: NodeRequestLike,
  response: ServerResponse,
): Promise<void> {
  const answer = await webPage(toRequest(request), request.baseUrl || undefined)
  response.writeHead(answer.status, [...answer.headers].flat())
  if (answer.body) await pipeline(Readable.fromWeb(answer.body as never), response)
  else response.end()
}

/** Only what the web page uses: it reads no body, and must not trust more of a request than its path and query. */
function toRequest(request: NodeRequestLike): Request {
  const path = request.originalUrl ?? request.url ?? '/'
  const url = new URL(`http://localhost${path.startsWith('/') ? path : '/'}`)
  const { method = 'GET' } = request
  // a Request refuses these methods at once, and so would the web page
  const allowed = /^(CONNECT|TRACE|TRACK)$/i.test(method) ? 'POST' : method
  const { authorization, cookie, host } = request.headers
  const headers = Object.entries({ authorization, cookie, host })
  return new Request(url, {
    method: allowed,
    headers: headers.filter((header): header is [string, string] => header[1] !== undefined),
  })
}
