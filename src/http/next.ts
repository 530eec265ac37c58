import { withContextOfRequest } from '../context/context.ts'
import { type RequestContextOptions, requestContext } from './request-context.ts'

/** What is needed of a request's headers: of a route handler's `Request`, or from `headers()` of Next. */
export interface HeadersLike {
  get(name: string): string | null
}

/** Next knows no addresses: they come from the platform. */
export interface NextOptions extends RequestContextOptions<HeadersLike> {
  /** The client's address, from a header that only your platform can set. Default: none. */
  ip?: (headers: HeadersLike) => string | undefined
}

/**
 * Runs the work of a route handler or a server action in the context of its request: request id, IP, user agent, trace,
 * and who acts. Next has no chain of middleware that reaches the work, so the work is called from here.
 *
 * @param work gets the request's id, for the response
 * @returns what `work` returns
 * @throws whatever `work` throws
 * @example
 * ```ts
 * import { headers } from 'next/headers'
 * import { withRequestContext } from 'prisma-extension-audit/next'
 *
 * const user = await currentUser()
 * await withRequestContext(
 *   await headers(),
 *   { actor: () => user && { id: user.id, type: 'user' } },
 *   () => prisma.order.update({ where: { id }, data: { customer } }),
 * )
 * ```
 */
export function withRequestContext<Result>(
  headers: HeadersLike,
  options: NextOptions,
  work: (requestId: string) => Result,
): Result {
  const parts = { header: (name: string) => headers.get(name) ?? undefined, ip: options.ip?.(headers) }
  const { requestId, source } = requestContext(headers, parts, options)
  return withContextOfRequest(source, () => work(requestId))
}
