import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { type ContextSource, keepAuditContext, withContextOfRequest } from '../context/context.ts'

/** A header of a request as node:http parses it. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value[0] : value
}

/** A node:http request or response that keeps its context. */
interface Keeper extends EventEmitter {
  [emitAlone]?: EventEmitter['emit']
  [inContext]?: ReturnType<typeof keepAuditContext>
}

const emitAlone = Symbol('emit, in whatever context')
const inContext = Symbol('in the context of the request')

/**
 * Runs `next` in a context, and the listeners of these emitters too. node:http emits a request's data and end from the
 * connection, which is in no request's context.
 */
export function runRequest(source: ContextSource, emitters: readonly EventEmitter[], next: () => void): void {
  withContextOfRequest(source, () => {
    const kept = keepAuditContext()
    for (const emitter of emitters as readonly Keeper[]) {
      if (emitter[inContext] === undefined) {
        if (Object.hasOwn(emitter, 'emit')) emitter[emitAlone] = emitter.emit
        emitter.emit = emitInContext
      }
      emitter[inContext] = kept // the context of a second middleware includes the first one's
    }
    next()
  })
}

/** Runs `work` in the context in which `runRequest` ran this request, if it did. */
export function resumeRequest<T>(request: EventEmitter, work: () => T): T {
  const resume = (request as Keeper)[inContext]
  return resume ? resume(work) : work()
}

/** One function for all: a separate one for each emitter makes requests outlive V8's quick garbage collections. */
function emitInContext(this: Keeper, ...parameters: Parameters<EventEmitter['emit']>): boolean {
  const emit = this[emitAlone] ?? (Object.getPrototypeOf(this) as EventEmitter).emit
  // most events of a request have no listener, and entering a context costs more than emitting
  if (this.listenerCount(parameters[0]) === 0) return emit.apply(this, parameters)
  return resumeRequest(this, () => emit.apply(this, parameters))
}
