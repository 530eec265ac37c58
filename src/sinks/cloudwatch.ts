import {
  CloudWatchLogsClient,
  type CloudWatchLogsClientConfig,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import { AuditError } from '../errors.ts'
import { lineRow } from '../log/ndjson.ts'
import type { Sink, SinkBatch, SinkLimits } from '../sink.ts'
import { awsError } from './aws-error.ts'
import { callLimits, callsOf, type LogEvent, logEventOf } from './log-events.ts'

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
      const old: LogEvent[] = []
      for (const call of callsOf(batch.entries.map(logEventOf))) {
        old.push(...(await put(client, options, call, batch.signal)))
      }
      if (old.length > 0) await putOmission(client, options, batch, old)
    },
    close: async () => client.destroy(),
  }
}

/** Stands in the stream for entries that are too old for the service. */
async function putOmission(
  client: CloudWatchLogsClient,
  options: CloudWatchOptions,
  { number, from, until, signal }: SinkBatch,
  events: readonly LogEvent[],
): Promise<void> {
  const idOf = (event: LogEvent | undefined) => event && lineRow(event.message).id
  const omitted = { entries: events.length, first: idOf(events[0]), last: idOf(events.at(-1)) }
  const reason = 'CloudWatch Logs takes no event that is older than 14 days'
  const message = JSON.stringify({ omitted, reason, batch: String(number), from, until })
  const rejected = await put(client, options, [{ timestamp: serviceTime(client), message }], signal)
  if (rejected.length === 0) return
  const place = `${options.group}/${options.stream}`
  throw new AuditError('AUDIT_SINK_REFUSED', `${place} rejected an event of now as too old: set the clock.`)
}

/** What the clock of the service says, once it has answered. That of this machine may be wrong by weeks. */
function serviceTime({ config }: CloudWatchLogsClient): number {
  return Date.now() + config.systemClockOffset
}

/** @returns those that are too old: nobody can mend that, so the service, and no clock of ours, decides which they are */
async function put(
  client: CloudWatchLogsClient,
  { group, stream }: CloudWatchOptions,
  logEvents: LogEvent[],
  abortSignal: AbortSignal,
): Promise<LogEvent[]> {
  const command = new PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents })
  const { rejectedLogEventsInfo } = await client.send(command, { abortSignal }).catch((error: unknown) => {
    throw awsError(error, `did not store ${logEvents.length} events in ${group}/${stream}`)
  })
  if (!rejectedLogEventsInfo) return [] // the answer is a success all the same, and the others are stored
  const { tooOldLogEventEndIndex, expiredLogEventEndIndex, tooNewLogEventStartIndex } = rejectedLogEventsInfo
  // ends are documented as exclusive; where one is not, the first event is rejected all the same, and the time tells of others
  const endOf = (index: number | undefined) => (index === undefined ? 0 : Math.max(1, index))
  const oldest = tooOldLogEventEndIndex === undefined ? 0 : serviceTime(client) - callLimits.age
  const old = logEvents.filter(
    ({ timestamp }, index) => index < endOf(tooOldLogEventEndIndex) || timestamp < oldest,
  )
  const expired = endOf(expiredLogEventEndIndex) - old.length
  const fresh = tooNewLogEventStartIndex === undefined ? 0 : logEvents.length - tooNewLogEventStartIndex
  refuseRejected({ expired, fresh }, `${group}/${stream}`)
  return old
}

/** Nothing is dropped that somebody can have accepted. */
function refuseRejected({ expired, fresh }: { expired: number; fresh: number }, place: string): void {
  const reasons = [
    ...(expired > 0
      ? [
          `${expired} as too old: the retention of the group is shorter than what is to be sent, so lengthen it`,
        ]
      : []),
    ...(fresh > 0
      ? [`${fresh} as more than two hours ahead: the clock of the database is wrong, or was`]
      : []),
  ]
  if (reasons.length === 0) return
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
