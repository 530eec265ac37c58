import { AuditError } from '../errors.ts'

/** What a receiver says once it has taken an export, or a part of it. */
export interface OtlpAnswer {
  /** How many records it does not store. */
  readonly rejected: number
  /** Why, or a warning; may be empty. */
  readonly message: string
}

/** As `ISerializer` of `@opentelemetry/otlp-transformer` has them. */
interface Serializer {
  serializeRequest(records: unknown): Uint8Array | undefined
  deserializeResponse(answer: Uint8Array): unknown
}

/** The private part of the official exporters. */
interface ExporterInternals {
  _delegate?: { _serializer?: Serializer }
}

/**
 * The official OTLP exporters report a success also where the receiver rejected records, and name those in the diagnostic log of
 * OpenTelemetry alone. So this reads along where they read the answer.
 *
 * @returns a function that gives the answer to the export that has ended just now, undefined where there was none that could be read;
 * undefined for an exporter of another kind, which has to report a failure itself
 * @throws AuditError `AUDIT_INVALID_OPTIONS` for an OTLP exporter that keeps its answers to itself
 */
export function watchAnswers(exporter: object): (() => OtlpAnswer | undefined) | undefined {
  const { _delegate: delegate } = exporter as ExporterInternals
  const serializer = delegate?._serializer
  if (!delegate || typeof serializer?.deserializeResponse !== 'function') {
    if (!isOtlp(exporter)) return undefined
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `The exporter ${exporter.constructor.name} does not let the sink see which records a receiver rejects, so they would be lost without a word. Nothing was sent. Use a version from 0.200 to 0.301 of the OTLP exporter, for which this works.`,
    )
  }
  let last: OtlpAnswer | undefined
  delegate._serializer = {
    serializeRequest: (records) => serializer.serializeRequest(records),
    deserializeResponse: (bytes) => {
      const answer = serializer.deserializeResponse(bytes)
      last = answerOf(answer)
      return answer
    },
  }
  return () => {
    const answer = last
    last = undefined
    return answer
  }
}

function answerOf(answer: unknown): OtlpAnswer {
  const { partialSuccess } = (answer ?? {}) as {
    partialSuccess?: { rejectedLogRecords?: number | string | null; errorMessage?: string | null } | null
  }
  // JSON has an int64 as a string
  return {
    rejected: Number(partialSuccess?.rejectedLogRecords ?? 0),
    message: partialSuccess?.errorMessage ?? '',
  }
}

function isOtlp(exporter: object): boolean {
  for (let type = exporter.constructor; type?.name; type = Object.getPrototypeOf(type)) {
    if (type.name.startsWith('OTLP')) return true
  }
  return false
}
