import { isIP } from 'node:net'
import { type Actor, type AuditContext, mergeContexts } from '../context/context.ts'
import { newId } from '../id.ts'
import { traceIdOf } from './trace.ts'

/** Where a request's context comes from; `Request` is the framework's own. */
export interface RequestContextOptions<Request> {
  /**
   * Who acts. Asked when an entry is written, so authentication may come anywhere after the middleware. Where neither this nor
   * another context names an actor, entries have `{ id: 'anonymous', type: 'user' }`, and `requireActor` refuses the write.
   */
  actor?: (request: Request) => Actor | undefined
  /** For `organization_id`. Asked when an entry is written. */
  organizationId?: (request: Request) => string | undefined
  /** For `details.metadata`. Asked when an entry is written. */
  metadata?: (request: Request) => Record<string, unknown> | undefined
  /** The header with the request's id, in requests and responses. Default `x-request-id`. */
  requestIdHeader?: string
}

/** What a framework knows about a request. */
export interface RequestParts {
  /** A header by its lower-case name; the first one if it came twice. */
  header(name: string): string | undefined
  /** The client's address as the framework sees it, by its own settings for trusted proxies. */
  readonly ip: string | undefined
}

/** The context of one request. */
export interface RequestContext {
  readonly requestId: string
  /** The response header for `requestId`. */
  readonly requestIdHeader: string
  /** For `withAuditContext`: calls the options' functions again for each entry. */
  readonly source: () => AuditContext
}

/**
 * The context of a request: its id, address, user agent and trace at once, and what the options say about it when an
 * entry is written.
 */
export function requestContext<Request>(
  request: Request,
  parts: RequestParts,
  options: RequestContextOptions<Request> = {},
): RequestContext {
  const requestIdHeader = options.requestIdHeader ?? 'x-request-id'
  const requestId = requestIdOf(parts.header(requestIdHeader))
  const traceId = traceIdOf(parts.header('traceparent'))
  const known: AuditContext = {
    requestId,
    ip: clientAddress(parts.ip),
    userAgent: parts.header('user-agent')?.replaceAll('\0', ''),
    ...(traceId === undefined ? {} : { metadata: { traceId } }),
  }
  return {
    requestId,
    requestIdHeader,
    source: () =>
      mergeContexts(known, {
        actor: options.actor?.(request),
        organizationId: options.organizationId?.(request),
        metadata: options.metadata?.(request),
      }),
  }
}

/**
 * The request's own id is used if it is at most 128 visible ASCII characters. Anything else (a novel, control
 * characters that forge lines in a log) is replaced by a UUIDv7.
 */
function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : newId()
}

/** An address that the column `ip` accepts; undefined for a Unix socket, which has none. */
function clientAddress(ip: string | undefined): string | undefined {
  // an IPv4 client on an IPv6 socket, RFC 4291 (2.5.5.2); and a zone, which means nothing outside its machine
  const address = ip?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  return address !== undefined && isIP(address) !== 0 ? address : undefined
}
