/** What OpenTelemetry's API keeps for the process, as far as it is used here. */
interface OpenTelemetry {
  readonly context?: { active(): { getValue(key: symbol): unknown } }
}

/** The key of the active span in OpenTelemetry's context. */
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN')

interface SpanLike {
  spanContext(): { readonly traceId: string }
}

/**
 * The active span, if the application has OpenTelemetry. Its API keeps its state in a global place, so that all of its
 * copies share it. There it is also found where `@opentelemetry/api` is part of a bundle and can't be imported.
 */
function activeSpan(): SpanLike | undefined {
  const api = (globalThis as { [key: symbol]: unknown })[Symbol.for('opentelemetry.js.api.1')] as
    | OpenTelemetry
    | undefined
  return api?.context?.active().getValue(spanKey) as SpanLike | undefined
}

/**
 * The trace that a request belongs to: OpenTelemetry's active one, else the one in the header `traceparent` (W3C Trace
 * Context, "traceparent Header Field Values").
 */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const active = activeSpan()?.spanContext().traceId
  const received = /^(?!ff)[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}(?:-|$)/.exec(
    traceparent ?? '',
  )?.[1]
  return [active, received].find((id) => id !== undefined && !/^0*$/.test(id))
}
