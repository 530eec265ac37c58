import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { AuditError } from '../errors.ts'
import type { Sink, SinkLimits } from '../sink.ts'
import { type LogRecord, logRecordsOf } from './log-record.ts'
import { type OtlpAnswer, watchAnswers } from './otlp-answers.ts'

/** What the sink needs of an exporter: every `LogRecordExporter` of `@opentelemetry/sdk-logs` has it. */
export interface LogRecordExporterLike {
  export(
    records: LogRecord[],
    done: (result: { readonly code: number; readonly error?: Error }) => void,
  ): void
  shutdown(): Promise<void>
}

/** Where records go, and what they say of their origin. */
export interface OpenTelemetryOptions {
  /**
   * Of this sink alone, such as `new OTLPLogExporter({ url })` of `@opentelemetry/exporter-logs-otlp-http`, `-proto` or `-grpc`.
   * One of another kind has to report a failure where any record is not stored.
   */
  exporter: LogRecordExporterLike
  /** Attributes of the resource, beside those of `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. */
  resource?: Readonly<Record<string, string>>
  /** Default `'opentelemetry'`. */
  name?: string
  /** How much one export holds. Default 1,000 entries and 2 MiB of lines: many receivers take no more than 4 MiB. */
  limits?: SinkLimits
}

/**
 * Sends the log to whatever receives OpenTelemetry logs: a record for each entry, with the entry as its body. Needs
 * `@opentelemetry/resources` and an exporter.
 *
 * A batch is stored when the exporter reports a success and the receiver has rejected nothing. It may be sent twice: whoever reads
 * recognizes doubles by `log.record.uid`, the entry's id.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` for an OTLP exporter of a version that hides what receivers reject
 *
 * @example
 * ```ts
 * export default defineAudit({
 *   sinks: [openTelemetry({ exporter: new OTLPLogExporter({ url: 'https://otel.example.com/v1/logs' }) })],
 * })
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions): Sink {
  const { exporter, name = 'opentelemetry', limits } = options
  const takeAnswer = watchAnswers(exporter)
  const resource = defaultResource()
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(options.resource ?? {}))
  return {
    name,
    limits: { entries: 1_000, bytes: 2 * 1024 * 1024, ...limits },
    write: async (batch) => {
      batch.signal.throwIfAborted()
      const records = logRecordsOf(batch, resource)
      const answer = await unlessAborted(batch.signal, exported(exporter, records, takeAnswer))
      checkAnswer(answer, records.length, name)
    },
    // all that counts is stored: what is still under way need not be waited for
    close: async () => void exporter.shutdown().catch(() => {}),
  }
}

/** @throws AuditError where the exporter reports anything but a success, or the answer could not be read */
function exported(
  exporter: LogRecordExporterLike,
  records: LogRecord[],
  takeAnswer: (() => OtlpAnswer | undefined) | undefined,
): Promise<OtlpAnswer> {
  return new Promise((resolve, reject) => {
    exporter.export(records, ({ code, error }) => {
      const answer = takeAnswer ? takeAnswer() : { rejected: 0, message: '' }
      if (code !== 0) reject(notExported(error))
      else if (answer) resolve(answer)
      else reject(new AuditError('AUDIT_SINK_AWAY', 'the answer of the receiver could not be read.'))
    })
  })
}

/** An exporter can't be stopped. What it still sends comes again, and is recognized. */
function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function checkAnswer({ rejected, message }: OtlpAnswer, count: number, name: string): void {
  const reason = message === '' ? '' : `: ${message}`
  if (rejected !== 0) {
    throw new AuditError(
      'AUDIT_SINK_REFUSED',
      `the receiver rejected ${rejected} of ${count} records${reason}.`,
    )
  }
  if (message === '') return
  process.emitWarning(
    `The receiver of the sink ${JSON.stringify(name)} took all records, and says${reason}`,
    {
      code: 'AUDIT_RECEIVER_WARNING',
    },
  )
}

/** Codes of gRPC where somebody has to mend something: invalid argument, permission, not implemented, credentials. */
const refusingGrpcCodes = [3, 7, 12, 16]

/** What would come out well after a while has no code: the exporter has tried again itself, for as long as its timeout allows. */
function notExported(cause: (Error & { code?: unknown; data?: unknown }) | undefined): AuditError {
  const { code, data, message = 'without a reason' } = cause ?? {}
  const said = typeof data === 'string' && data.trim() !== '' ? `: ${data.trim().slice(0, 200)}` : ''
  const isRefused =
    typeof code === 'number' && ((code >= 400 && code < 500) || refusingGrpcCodes.includes(code))
  return new AuditError(
    isRefused ? 'AUDIT_SINK_REFUSED' : 'AUDIT_SINK_AWAY',
    `the export failed (${[code, message].filter((part) => part !== undefined && part !== '').join(' ')}${said}).`,
    { cause },
  )
}
