import { withContextOfRequest } from '../context/context.ts'
import { type RequestContextOptions, requestContext } from './request-context.ts'

/** What the middleware needs of a Hono 4 context. */
export interface HonoContextLike {
  readonly req: { header(name: string): string | undefined }
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own
  readonly env: any
  header(name: string, value: string): void
}

/** Hono knows no addresses: they come from the runtime. */
export interface HonoOptions<Context> extends RequestContextOptions<Context> {
  /** The client's address. Default: the connection's, with `@hono/node-server`. */
  ip?: (context: Context) => string | undefined
}

/**
 * Hono middleware that gives every entry of a request its context: request id, IP, user agent, trace, and who acts. The
 * response carries the request's id. Use it first: `actor` is asked only when an entry is written.
 *
 * The IP is the connection's. Behind a proxy that you trust, use the option `ip` to say where it puts the client's;
 * `x-forwarded-for` alone is never trusted.
 *
 * @example
 * ```ts
 * import { auditContext } from 'prisma-extension-audit/hono'
 *
 * app.use(auditContext<Context>({
 *   actor: (c) => c.get('user') && { id: c.get('user').id, type: 'user' },
 * }))
 * ```
 */
export function auditContext<Context extends HonoContextLike = HonoContextLike>(
  options: HonoOptions<Context> = {},
): (context: Context, next: () => Promise<void>) => Promise<void> {
  return (context, next) => {
    const ip = options.ip ? options.ip(context) : context.env?.incoming?.socket?.remoteAddress
    const parts = { header: (name: string) => context.req.header(name), ip }
    const { requestId, requestIdHeader, source } = requestContext(context, parts, options)
    context.header(requestIdHeader, requestId)
    return withContextOfRequest(source, next)
  }
}
