import { type ConsumerLag, readConsumerLags } from '../reader/consumer-lag.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import type { Sink } from '../sink.ts'
import { consumerOfSink, type ShipCounts, type ShipOptions, type SinkShipment, shipTo } from './ship.ts'

/** How one sink does. */
export interface SinkMetrics {
  readonly name: string
  /** What this process has delivered since it began. */
  readonly delivered: { readonly entries: number; readonly batches: number }
  /** Attempts of this process that failed. Each is followed by another with the same batch. */
  readonly failures: number
  /** The last of them; null where there was none. */
  readonly lastError: ShipCounts['lastError']
  /**
   * How far the sink is behind, whichever process works for it: entries that are committed and not yet acknowledged, counted
   * up to 100,000, and the age of the oldest in seconds.
   */
  readonly lag: Pick<ConsumerLag, 'entries' | 'seconds'>
}

/** Sinks at work. */
export interface Shipping {
  /** How each sink does. Asks the database for the lag. */
  metrics(): Promise<SinkMetrics[]>
  /**
   * Ends it: looks for no more entries, has sinks give up the batch at hand, waits until they have, and lets another process
   * begin at once. What was not acknowledged comes again.
   */
  stop(): Promise<void>
  /** Resolves when it has ended. */
  readonly stopped: Promise<void>
}

/** Ships to sinks independently of each other: one that is away holds back no other. */
export async function shipToAll(
  log: ReaderLog,
  sinks: readonly Sink[],
  options: ShipOptions,
): Promise<Shipping> {
  const shipments = new Map<Sink, SinkShipment>()
  const stop = async () => {
    await Promise.all([...shipments.values()].map(({ consuming }) => consuming.stop()))
  }
  try {
    for (const sink of sinks) shipments.set(sink, await shipTo(log, sink, options))
  } catch (error) {
    await stop()
    throw error
  }
  const stopped = Promise.all([...shipments.values()].map(({ consuming }) => consuming.stopped))
  return {
    metrics: async () => {
      const lags = await readConsumerLags(log)
      return [...shipments].map(([sink, { counts }]) => metricsOf(sink, counts, lags))
    },
    stop,
    stopped: stopped.then(() => {}),
  }
}

function metricsOf(sink: Sink, counts: Readonly<ShipCounts>, lags: readonly ConsumerLag[]): SinkMetrics {
  const { entries, batches, failures, lastError } = counts
  const lag = lags.find(({ name }) => name === consumerOfSink(sink))
  return {
    ...{ name: sink.name, delivered: { entries, batches }, failures, lastError },
    lag: { entries: lag?.entries ?? 0, seconds: lag?.seconds ?? 0 },
  }
}
