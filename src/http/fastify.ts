import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { headerOf, resumeRequest, runRequest } from './node-request.ts'
import { type RequestContextOptions, requestContext } from './request-context.ts'

/** What the plugin needs of a Fastify 5 request. */
export interface FastifyRequestLike {
  readonly headers: IncomingHttpHeaders
  /** With the option `trustProxy` the client's address, otherwise the connection's. */
  readonly ip: string
  readonly raw: EventEmitter
}

export interface FastifyReplyLike {
  header(name: string, value: string): unknown
  readonly raw: EventEmitter
}

interface FastifyLike {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: never, reply: never, done: () => void) => void,
  ): unknown
}

/**
 * Fastify plugin that gives every entry of a request its context: request id, IP, user agent, trace, and who acts. The
 * response carries the request's id. Register it first: `actor` is asked only when an entry is written.
 *
 * The IP is `request.ip`. Behind a proxy, tell Fastify so (`trustProxy`); `x-forwarded-for` alone is never trusted.
 *
 * @example
 * ```ts
 * import { auditContext } from 'prisma-extension-audit/fastify'
 *
 * await app.register(auditContext<FastifyRequest>({
 *   actor: (request) => request.user && { id: request.user.id, type: 'user' },
 * }))
 * ```
 */
export function auditContext<Request extends FastifyRequestLike = FastifyRequestLike>(
  options: RequestContextOptions<Request> = {},
) {
  const plugin = async (fastify: FastifyLike): Promise<void> => {
    fastify.addHook('onRequest', (request: Request, reply: FastifyReplyLike, done: () => void) => {
      const parts = { header: (name: string) => headerOf(request.headers, name), ip: request.ip }
      const { requestId, requestIdHeader, source } = requestContext(request, parts, options)
      reply.header(requestIdHeader, requestId)
      runRequest(source, [request.raw, reply.raw], done)
    })
    // in between, a body is parsed by listeners that may have lost the context
    fastify.addHook('preValidation', (request: Request, _reply: FastifyReplyLike, done: () => void) => {
      resumeRequest(request.raw, done)
    })
  }
  // as fastify-plugin does: the hooks are for the whole application, not only for the plugin's child context
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
