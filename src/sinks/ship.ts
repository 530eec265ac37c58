import { AuditError, type AuditErrorCode } from '../errors.ts'
import { type LastError, lastErrorOf, readingError } from '../log/report-error.ts'
import { defaultLimits } from '../reader/committed-entries.ts'
import { type ConsumeOptions, type Consuming, consume, type Delivery } from '../reader/consume.ts'
import { encodeReaderCursor } from '../reader/cursor.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import type { ExactRow, Sink, SinkBatch } from '../sink.ts'

/** How sinks are shipped to. */
export interface ShipOptions {
  /** Milliseconds between two looks for new entries. */
  readonly pollInterval: number
  /** Milliseconds after which another process takes over from one that is silent. */
  readonly leaseDuration: number
  /** Called with what made a sink pause. Never throws. */
  readonly onError: (error: AuditError) => void
}

/** What this process did for a sink since it began. */
export interface ShipCounts {
  /** Acknowledged or about to be. */
  entries: number
  batches: number
  /** Attempts that failed; each is followed by another. */
  failures: number
  lastError: LastError | null
}

/** The pauses after errors, in milliseconds. */
const pauses = {
  first: 1_000,
  longest: 60_000,
  atLeast: (error: unknown): number => {
    if (!(error instanceof AuditError)) return 0
    return error.code === 'AUDIT_SINK_REFUSED' ? pauses.longest : (error.retryAfter ?? 0)
  },
}

/** A sink at work. */
export interface SinkShipment {
  readonly counts: Readonly<ShipCounts>
  readonly consuming: Pick<Consuming, 'stop' | 'stopped'>
}

/** What the database calls the consumer that a sink is. */
export function consumerOfSink({ name }: Pick<Sink, 'name'>): string {
  return `sink:${name}`
}

/**
 * Delivers every committed entry of a log to a sink: at least once, in order, and by one process at a time.
 *
 * @returns once the sink's place in the log is known
 * @throws AuditError where the log can't be read
 */
export async function shipTo(log: ReaderLog, sink: Sink, options: ShipOptions): Promise<SinkShipment> {
  const counts: ShipCounts = { entries: 0, batches: 0, failures: 0, lastError: null }
  const consuming = await consume(log, {
    ...{ name: consumerOfSink(sink), start: 'beginning', pauses },
    ...{ pollInterval: options.pollInterval, leaseDuration: options.leaseDuration },
    ...limitsOf(sink),
    deliver: deliveryTo(sink, counts),
    onError: (thrown) => {
      const error = readingError(thrown)
      counts.failures++
      counts.lastError = lastErrorOf(error)
      options.onError(error)
    },
  })
  const stopped = consuming.stopped.then(() => sink.close?.()).catch(() => {}) // all that it has is stored
  const stop = async () => {
    await consuming.stop()
    await stopped
  }
  return { counts, consuming: { stop, stopped } }
}

function limitsOf({ limits = {} }: Sink): Pick<ConsumeOptions, 'limits' | 'age'> {
  return {
    limits: { entries: limits.entries ?? defaultLimits.entries, bytes: limits.bytes ?? defaultLimits.bytes },
    age: limits.age ?? 0,
  }
}

function deliveryTo(sink: Sink, counts: ShipCounts): (delivery: Delivery) => Promise<unknown> {
  let isOpen = false
  return async (delivery) => {
    try {
      if (!isOpen) await sink.open?.(delivery.signal)
      isOpen = true
      const state = await sink.write(sinkBatch(delivery))
      counts.entries += delivery.batch.entries
      counts.batches++
      return state
    } catch (cause) {
      throw notStored(sink, delivery, cause)
    }
  }
}

function sinkBatch({ batch, number, position, state, signal }: Delivery): SinkBatch {
  const { from, until } = batch
  const [first] = position.eras
  const { id, beganAt } = position.eras.find((era) => era.number === until.era) ?? first
  let entries: readonly ExactRow[] | undefined
  let lines: Uint8Array | undefined
  return {
    get entries() {
      entries ??= batch.rows
      return entries
    },
    get lines() {
      lines ??= Buffer.from(batch.text)
      return lines
    },
    ...{ number, state, signal, log: position.log },
    ...{ from: encodeReaderCursor(from), until: encodeReaderCursor(until) },
    era: { number: until.era, id, beganAt },
  }
}

function notStored({ name }: Sink, { batch, number }: Delivery, cause: unknown): AuditError {
  const { code, retryAfter } = failureOf(cause)
  const entries = `${batch.entries} ${batch.entries === 1 ? 'entry' : 'entries'}`
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AuditError(
    code,
    `The sink ${JSON.stringify(name)} did not store batch ${number} with ${entries}: ${reason.replace(/\.$/, '')}. It gets the same batch again, and no later one before.`,
    { cause, retryAfter },
  )
}

function failureOf(cause: unknown): { code: AuditErrorCode; retryAfter?: number | undefined } {
  const isKnown = cause instanceof AuditError && cause.code.startsWith('AUDIT_SINK_')
  return isKnown ? cause : { code: 'AUDIT_SINK_AWAY' }
}
