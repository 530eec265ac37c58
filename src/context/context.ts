import { AsyncLocalStorage } from 'node:async_hooks'
import { onePerProcess } from '../one-per-process.ts'
import { parseContext } from './context-schema.ts'

/** Who acts. `id` is whatever identifies the actor in your application, at most 255 characters. */
export interface Actor {
  id: string
  type: 'user' | 'system' | 'api_key'
  email?: string | undefined
}

/** Who and where: what the entries of a request have in common. */
export interface AuditContext {
  actor?: Actor | undefined
  /** At most 255 characters. */
  requestId?: string | undefined
  /** An IPv4 or IPv6 address, without port or prefix length. */
  ip?: string | undefined
  userAgent?: string | undefined
  /** At most 255 characters. */
  organizationId?: string | undefined
  /** Why the change is made, for `reason`. */
  reason?: string | undefined
  /** Anything that the log's JSON can hold, for `details.metadata`: a BigInt, a Date, a Map, … */
  metadata?: Record<string, unknown> | undefined
}

/** A context, or a function that returns it. It is called for each entry, so it can use what becomes known later. */
export type ContextSource = AuditContext | (() => AuditContext | undefined)

/** One {@link withAuditContext} inside another. */
interface Frame {
  readonly outer: Frame | undefined
  readonly source: ContextSource
  /** Whether the context is that of an HTTP request: then nobody signed in is somebody unknown, not the system. */
  readonly isRequest: boolean
}

const frames = onePerProcess('contexts', () => new AsyncLocalStorage<Frame | undefined>())

/**
 * Runs `fn` in a context: every entry made inside, however deep in calls and promises, has it. Contexts nest and merge:
 * an inner one adds to the outer and overrides it field by field (`metadata` key by key).
 *
 * A Prisma call that `fn` returns without `await` runs in the context too.
 *
 * @param context the context, or a function that returns it. The function is called for each entry, so it can use what
 * becomes known later, such as the user that a later handler authenticates. What it throws, the Prisma call throws
 * @returns what `fn` returns; a promise if `fn` returns one
 * @throws AuditError `AUDIT_INVALID_CONTEXT` before `fn` is called, when the log could not store a value
 *
 * @example
 * ```ts
 * await withAuditContext({ actor: { id: user.id, type: 'user' }, requestId: 'req-1' }, () =>
 *   prisma.order.update({ where: { id }, data: { status: 'PAID' } }),
 * )
 * ```
 */
export function withAuditContext<T>(context: ContextSource, fn: () => PromiseLike<T>): Promise<T>
export function withAuditContext<T>(context: ContextSource, fn: () => T): T
export function withAuditContext<T>(context: ContextSource, fn: () => T | PromiseLike<T>): T | Promise<T> {
  const source = typeof context === 'function' ? context : parseContext(context)
  return runInFrame({ outer: frames.getStore(), source, isRequest: false }, fn)
}

/** {@link withAuditContext} for the work of an HTTP request: where nothing names an actor, it is {@link anonymousActor}. */
export function withContextOfRequest<T>(source: ContextSource, fn: () => T): T {
  return runInFrame({ outer: frames.getStore(), source, isRequest: true }, fn) as T
}

/** Who acts in a request of somebody who has not signed in: a person, as far as anybody can tell. */
export const anonymousActor: Actor = { id: 'anonymous', type: 'user' }

/** Whether the running code works for an HTTP request. */
export function isInRequest(): boolean {
  for (let frame = frames.getStore(); frame; frame = frame.outer) if (frame.isRequest) return true
  return false
}

function runInFrame<T>(frame: Frame, fn: () => T | PromiseLike<T>): T | Promise<T> {
  return frames.run(frame, () => {
    const result = fn()
    // a PrismaPromise starts when `then` is called, so that has to happen inside the context
    return isThenable(result)
      ? new Promise<T>((resolve, reject) => void result.then(resolve, reject))
      : result
  })
}

/**
 * The context of the running code, merged from all enclosing ones; `metadata` is JSON, as the log will have it.
 *
 * @returns undefined outside any {@link withAuditContext}
 * @throws AuditError `AUDIT_INVALID_CONTEXT` when a function given as context returns what the log could not store
 *
 * @example
 * ```ts
 * logger.info({ requestId: getAuditContext()?.requestId })
 * ```
 */
export function getAuditContext(): AuditContext | undefined {
  const frame = frames.getStore()
  return frame && contextOf(frame)
}

/**
 * Keeps the context of the running code for code that is called from elsewhere, such as an event listener.
 *
 * @returns a function that runs another one in that context
 */
export function keepAuditContext(): <T>(fn: () => T) => T {
  const frame = frames.getStore()
  return (fn) => frames.run(frame, fn)
}

/** Runs outside of every context: for work that outlives the call that began it. */
export function outsideAuditContext<T>(fn: () => T): T {
  return frames.exit(fn)
}

function contextOf({ outer, source }: Frame): AuditContext {
  // a source may ask for the context around it, which must not ask the source again
  const inner = typeof source === 'function' ? parseContext(frames.run(outer, source) ?? {}) : source
  return outer ? mergeContexts(contextOf(outer), inner) : inner
}

/** The outer context, overridden by the inner one. */
export function mergeContexts(
  outer: AuditContext | undefined,
  inner: AuditContext | undefined,
): AuditContext {
  const said = Object.entries(inner ?? {}).filter(([, value]) => value !== undefined)
  const metadata = { ...outer?.metadata, ...inner?.metadata }
  return {
    ...outer,
    ...Object.fromEntries(said),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
