import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { type ContextSource, keepAuditContext, withAuditContext } from '../context.ts'

/** A header of a request as node:http parses it. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value[0] : value
}

/**
 * Runs `next` in a context, and whatever listens to these emitters too. node:http emits a request's data and end from
 * the connection, which is in nobody's context.
 */
export function runRequest(source: ContextSource, emitters: readonly EventEmitter[], next: () => void): void {
  withAuditContext(source, () => {
    const inContext = keepAuditContext()
    for (const emitter of emitters) {
      const emit = emitter.emit
      emitter.emit = function (this: EventEmitter, ...parameters) {
        // most events of a request have no listener, and entering a context costs more than emitting
        if (this.listenerCount(parameters[0]) === 0) return emit.apply(this, parameters)
        return inContext(() => emit.apply(this, parameters))
      }
    }
    next()
  })
}
