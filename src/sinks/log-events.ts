import { rowLine } from '../log/ndjson.ts'
import type { ExactRow } from '../sink.ts'

/** An event as PutLogEvents takes it. */
export interface LogEvent {
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly message: string
}

/** What one call of PutLogEvents may hold, as the service documents it. */
export const callLimits = {
  events: 10_000,
  /** Of all messages in UTF-8, and 26 for each event. */
  bytes: 1_048_576,
  bytesOfEvent: 26,
  /** Milliseconds between the first event and the last. */
  span: 24 * 60 * 60 * 1000,
  /** Milliseconds before now. */
  age: 14 * 24 * 60 * 60 * 1000,
}

/** An entry as an event. One that is too large for an event is sent without `details`, which say how many bytes they had. */
export function logEventOf(row: ExactRow): LogEvent {
  const timestamp = Date.parse(row.timestamp)
  const most = callLimits.bytes - callLimits.bytesOfEvent
  const whole = rowLine(row).trimEnd()
  if (Buffer.byteLength(whole) <= most) return { timestamp, message: whole }
  const details = JSON.stringify({ cut: Buffer.byteLength(row.details ?? '') })
  const message = rowLine({ ...row, details }).trimEnd()
  if (Buffer.byteLength(message) <= most) return { timestamp, message }
  return { timestamp, message: rowLine({ ...row, details, reason: null, user_agent: null }).trimEnd() }
}

/** Events in the order of their times, in as few calls as the limits allow. */
export function callsOf(events: readonly LogEvent[]): LogEvent[][] {
  const calls: LogEvent[][] = []
  let bytes = 0
  for (const event of events.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const size = Buffer.byteLength(event.message) + callLimits.bytesOfEvent
    const call = calls.at(-1)
    const fits =
      call !== undefined &&
      call.length < callLimits.events &&
      bytes + size <= callLimits.bytes &&
      event.timestamp - (call[0]?.timestamp ?? 0) < callLimits.span
    if (fits) call.push(event)
    else calls.push([event])
    bytes = fits ? bytes + size : size
  }
  return calls
}
