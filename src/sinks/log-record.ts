import type { Resource } from '@opentelemetry/resources'
import { rowLine } from '../log/ndjson.ts'
import type { ExactRow, SinkBatch } from '../sink.ts'
import { version } from '../version.ts'

/** An entry as OpenTelemetry's exporters take it: a `ReadableLogRecord`. */
export interface LogRecord {
  /** Seconds since 1970, and nanoseconds. */
  readonly hrTime: [number, number]
  readonly hrTimeObserved: [number, number]
  readonly eventName: string
  readonly severityNumber: 9 | 13
  readonly severityText: 'INFO' | 'WARN'
  readonly body: string
  readonly attributes: Record<string, string>
  readonly droppedAttributesCount: 0
  readonly resource: Resource
  readonly instrumentationScope: { readonly name: string; readonly version: string }
}

/** Exporters put together what has the same object. */
const instrumentationScope = { name: 'prisma-extension-audit', version }

/** The columns that are attributes. What OpenTelemetry has a name for has that name. */
const attributeNames: Partial<Record<keyof ExactRow, string>> = {
  id: 'log.record.uid',
  seq: 'audit.seq',
  transaction_id: 'audit.transaction.id',
  action: 'audit.action',
  actor_id: 'audit.actor.id',
  actor_type: 'audit.actor.type',
  actor_email: 'audit.actor.email',
  resource_type: 'audit.resource.type',
  resource_id: 'audit.resource.id',
  outcome: 'audit.outcome',
  reason: 'audit.reason',
  request_id: 'audit.request.id',
  organization_id: 'audit.organization.id',
  ip: 'client.address',
  user_agent: 'user_agent.original',
}

/** The entries of a batch, each with its whole line as body: a number in `details` would lose digits in any other form. */
export function logRecordsOf({ entries, log, number }: SinkBatch, resource: Resource): LogRecord[] {
  const hrTimeObserved = highResolution(new Date().toISOString())
  return entries.map((row) => ({
    ...{ hrTime: highResolution(row.timestamp), hrTimeObserved, eventName: row.action },
    ...(row.outcome === 'failure'
      ? { severityNumber: 13, severityText: 'WARN' }
      : { severityNumber: 9, severityText: 'INFO' }),
    body: rowLine(row).trimEnd(),
    attributes: { 'audit.log': log, 'audit.batch': String(number), ...attributesOf(row) },
    ...{ droppedAttributesCount: 0, resource, instrumentationScope },
  }))
}

function attributesOf(row: ExactRow): Record<string, string> {
  const given = Object.entries(attributeNames).flatMap(([column, name]) => {
    const value = row[column as keyof ExactRow]
    return value === null ? [] : [[name, value]]
  })
  return Object.fromEntries(given) as Record<string, string>
}

/** With all digits of the second. */
function highResolution(timestamp: string): [number, number] {
  const fraction = /\.(\d+)/.exec(timestamp)?.[1] ?? ''
  return [Math.floor(Date.parse(timestamp) / 1000), Number(fraction.padEnd(9, '0'))]
}
