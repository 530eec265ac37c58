import {
  CloudWatchLogsClient,
  type CloudWatchLogsClientConfig,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  type RejectedLogEventsInfo,
} from '@aws-sdk/client-cloudwatch-logs'
import { AuditError } from '../errors.ts'
import type { ExactRow, Sink, SinkBatch, SinkLimits } from '../sink.ts'
import { awsError } from './aws-error.ts'
import { callsOf, isTooOld, type LogEvent, logEventOf } from './log-events.ts'

/** Where events go. */
export interface CloudWatchOptions {
  /** The log group. */
  group: string
  /** The log stream, of this log alone. */
  stream: string
  /** Make group and stream where they are not there. Default false. */
  create?: boolean
  /** Default `'cloudwatch'`. */
  name?: string
  /** How much one batch holds. */
  limits?: SinkLimits
  /** Region, credentials and `endpoint`. Default: as the AWS SDK finds them. */
  client?: CloudWatchLogsClientConfig
}

/**
 * Sends the log to CloudWatch Logs, an event an entry, at the entry's time. Needs `@aws-sdk/client-cloudwatch-logs`.
 *
 * The service stores again what is sent again, so whoever reads recognizes doubles by `id`. It takes no event that is older than
 * 14 days: an event in the stream says how many there were, and which. An entry that is larger than an event may be, 1 MiB, is sent with
 * `details` that say how many bytes were cut.
 *
 * @example
 * ```ts
 * export default defineAudit({ sinks: [cloudWatch({ group: 'audit', stream: 'prod', create: true })] })
 * ```
 */
export function cloudWatch(options: CloudWatchOptions): Sink {
  const { name = 'cloudwatch', limits = {} } = options
  const client = new CloudWatchLogsClient(options.client ?? {})
  return {
    name,
    limits,
    open: async (signal) => {
      if (options.create) await createStream(client, options, signal)
    },
    write: async (batch) => {
      batch.signal.throwIfAborted()
      const now = Date.now()
      const old = batch.entries.filter((row) => isTooOld(row, now))
      const events = batch.entries.filter((row) => !isTooOld(row, now)).map(logEventOf)
      if (old.length > 0) events.push(omission(batch, old, now))
      for (const call of callsOf(events)) await put(client, options, call, batch.signal)
    },
    close: async () => client.destroy(),
  }
}

/** Stands in the stream for entries that could not be sent. */
function omission({ number, from, until }: SinkBatch, rows: readonly ExactRow[], now: number): LogEvent {
  const omitted = { entries: rows.length, first: rows[0]?.id, last: rows.at(-1)?.id }
  const reason = 'CloudWatch Logs takes no event that is older than 14 days'
  return { timestamp: now, message: JSON.stringify({ omitted, reason, batch: String(number), from, until }) }
}

async function put(
  client: CloudWatchLogsClient,
  { group, stream }: CloudWatchOptions,
  logEvents: LogEvent[],
  abortSignal: AbortSignal,
): Promise<void> {
  const command = new PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents })
  const { rejectedLogEventsInfo } = await client.send(command, { abortSignal }).catch((error: unknown) => {
    throw awsError(error, `did not store ${logEvents.length} events in ${group}/${stream}`)
  })
  if (rejectedLogEventsInfo) refuseRejected(rejectedLogEventsInfo, logEvents, `${group}/${stream}`)
}

/** The answer is a success all the same, and the others are stored. */
function refuseRejected(
  { tooNewLogEventStartIndex, tooOldLogEventEndIndex, expiredLogEventEndIndex }: RejectedLogEventsInfo,
  events: readonly LogEvent[],
  place: string,
): void {
  const old = Math.max(tooOldLogEventEndIndex ?? 0, expiredLogEventEndIndex ?? 0)
  const fresh = tooNewLogEventStartIndex === undefined ? 0 : events.length - tooNewLogEventStartIndex
  if (old + fresh === 0) return
  const reasons = [
    ...(old > 0
      ? [`${old} as too old: the retention of the group is shorter than what is to be sent, so lengthen it`]
      : []),
    ...(fresh > 0
      ? [`${fresh} as more than two hours ahead: the clock of the database is wrong, or was`]
      : []),
  ]
  throw new AuditError('AUDIT_SINK_REFUSED', `${place} rejected ${reasons.join('; ')}.`)
}

async function createStream(
  client: CloudWatchLogsClient,
  { group, stream }: CloudWatchOptions,
  abortSignal: AbortSignal,
): Promise<void> {
  const isThere = (error: unknown) => {
    if ((error as Error).name === 'ResourceAlreadyExistsException') return
    throw awsError(error, `did not make the stream ${group}/${stream}`)
  }
  await client.send(new CreateLogGroupCommand({ logGroupName: group }), { abortSignal }).catch(isThere)
  const command = new CreateLogStreamCommand({ logGroupName: group, logStreamName: stream })
  await client.send(command, { abortSignal }).catch(isThere)
}
