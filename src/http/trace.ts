import { createRequire } from 'node:module'

type OpenTelemetry = typeof import('@opentelemetry/api')

/** OpenTelemetry's API, if the application has it: the package is an optional peer. */
const openTelemetry = loadOpenTelemetry()

function loadOpenTelemetry(): OpenTelemetry | undefined {
  try {
    // not import(), which would keep CommonJS applications from requiring this module
    return createRequire(import.meta.url)('@opentelemetry/api') as OpenTelemetry
  } catch (error) {
    if ((error as { code?: unknown }).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/**
 * The trace that a request belongs to: OpenTelemetry's active one, else the one in the header `traceparent` (W3C Trace
 * Context, "traceparent Header Field Values").
 */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const active = openTelemetry?.trace.getActiveSpan()?.spanContext().traceId
  const received = /^(?!ff)[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}(?:-|$)/.exec(
    traceparent ?? '',
  )?.[1]
  return [active, received].find((id) => id !== undefined && !/^0*$/.test(id))
}
