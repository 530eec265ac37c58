import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { headerOf, runRequest } from './node-request.ts'
import { type RequestContextOptions, requestContext } from './request-context.ts'

/** What the middleware needs of an Express 4 or 5 request. */
export interface ExpressRequestLike extends EventEmitter {
  readonly headers: IncomingHttpHeaders
  /** With the setting `trust proxy` the client's address, otherwise the connection's. */
  readonly ip?: string | undefined
}

export interface ExpressResponseLike extends EventEmitter {
  setHeader(name: string, value: string): unknown
}

/**
 * Express middleware that gives every entry of a request its context: request id, IP, user agent, trace, and who acts.
 * The response carries the request's id. Put it first: `actor` is asked only when an entry is written.
 *
 * The IP is `req.ip`. Behind a proxy, tell Express so (`app.set('trust proxy', …)`); `x-forwarded-for` alone is
 * never trusted.
 *
 * @example
 * ```ts
 * import { auditContext } from 'prisma-extension-audit/express'
 *
 * app.use(auditContext<express.Request>({
 *   actor: (req) => req.user && { id: req.user.id, type: 'user', email: req.user.email },
 *   organizationId: (req) => req.user?.organizationId,
 * }))
 * ```
 */
export function auditContext<Request extends ExpressRequestLike = ExpressRequestLike>(
  options: RequestContextOptions<Request> = {},
): (request: Request, response: ExpressResponseLike, next: () => void) => void {
  return (request, response, next) => {
    const parts = { header: (name: string) => headerOf(request.headers, name), ip: request.ip }
    const { requestId, requestIdHeader, source } = requestContext(request, parts, options)
    response.setHeader(requestIdHeader, requestId)
    runRequest(source, [request, response], next)
  }
}
