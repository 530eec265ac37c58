import { setTimeout as sleep } from 'node:timers/promises'
import { AuditError } from '../errors.ts'
import type { ExactRow } from '../sink.ts'
import { type Consumer, ConsumerLease, type ConsumerStart } from './consumer.ts'
import { compareCursors, type ReaderCursor } from './cursor.ts'
import { type ReaderPosition, readPosition } from './eras.ts'
import { type BatchLimits, type CommittedBatch, readBatch, readBatchAgain } from './read-batch.ts'
import type { ReaderLog } from './reader-log.ts'

/** A batch on its way to a consumer. */
export interface Delivery {
  readonly rows: readonly ExactRow[]
  /** From 1, without gaps. The same number always has the same entries. */
  readonly number: bigint
  /** The place behind the batch before, and that of the last entry. */
  readonly from: ReaderCursor
  readonly until: ReaderCursor
  /** The log and its eras when the batch was read. */
  readonly position: ReaderPosition
  /** What the consumer kept with the batch before; null for the first. */
  readonly state: unknown
  /** Aborted when the consumer is stopped, and when another process may have taken over. */
  readonly signal: AbortSignal
}

/** How to consume. */
export interface ConsumeOptions {
  /** One process at a time works for a name. */
  readonly name: string
  readonly start: ConsumerStart
  readonly limits: BatchLimits
  /** Milliseconds that entries wait for a batch to become full. Default 0. */
  readonly age?: number
  /** Milliseconds between two looks for new entries. */
  readonly pollInterval: number
  /** Milliseconds that a process may be silent before another takes over. */
  readonly leaseDuration: number
  /** Milliseconds of the first pause after an error, and of the longest, and at least how many a certain error asks for. */
  readonly pauses: {
    readonly first: number
    readonly longest: number
    readonly atLeast?: (error: unknown) => number
  }
  /**
   * When it is done, so is the batch. What it returns is kept with the cursor, as JSON. Where it throws, it gets the same
   * batch again.
   */
  readonly deliver: (delivery: Delivery) => unknown
  /** Called with what made it pause. Never throws. */
  readonly onError: (error: unknown) => void
}

/**
 * Reads a log on for one consumer: at least once, in order, and by one process at a time. Its timer keeps the process alive
 * until it is stopped.
 *
 * @returns once the consumer's place is known
 * @throws AuditError where the log can't be read
 */
export async function consume(log: ReaderLog, options: ConsumeOptions): Promise<Consuming> {
  const position = await readPosition(log)
  const lease = new ConsumerLease(log, position, options.name)
  await lease.add(position, options.start)
  return new Consuming(log, lease, options)
}

/** A batch that the consumer has done. */
interface Delivered {
  readonly number: bigint
  readonly until: ReaderCursor
  readonly highestSeq: bigint
  readonly state: unknown
}

/** A consumer at work. */
export class Consuming {
  readonly #log: ReaderLog
  readonly #lease: ConsumerLease
  readonly #options: ConsumeOptions
  readonly #stopping = new AbortController()
  /** Resolves when it has stopped. */
  readonly stopped: Promise<void>
  /** As it is while the lease is held. */
  #held: { consumer: Consumer; since: number } | undefined
  /** A batch whose acknowledgement got no answer. */
  #delivered: Delivered | undefined
  /** The first entry of a batch that is not full yet. */
  #waiting: { id: string; since: number } | undefined

  constructor(log: ReaderLog, lease: ConsumerLease, options: ConsumeOptions) {
    this.#log = log
    this.#lease = lease
    this.#options = options
    this.stopped = this.#run()
  }

  /** Stops looking for entries at once, and resolves when the batch at hand is done. */
  stop(): Promise<void> {
    this.#stopping.abort()
    return this.stopped
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let errors = 0
    while (!signal.aborted) {
      let pause = 0
      try {
        pause = (await this.#step()) ? 0 : this.#options.pollInterval
        errors = 0
      } catch (error) {
        this.#held = undefined // the row says what is so
        if (signal.aborted) break
        const { first, longest, atLeast } = this.#options.pauses
        pause = Math.min(longest, first * 2 ** errors) * (0.75 + Math.random() / 4)
        pause = Math.max(pause, atLeast?.(error) ?? 0)
        errors = Math.min(errors + 1, 30)
        this.#options.onError(error)
      }
      if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => {})
    }
    await this.#lease.release().catch(() => {}) // then it ends by itself
  }

  /** One batch. @returns false when there is nothing to do */
  async #step(): Promise<boolean> {
    const consumer = await this.#hold()
    if (!consumer) return false
    const position = await readPosition(this.#log)
    const begun = await this.#begin(position, consumer)
    if (!begun) return false
    this.#delivered = this.#deliveredOf(begun.consumer) ?? (await this.#deliver(position, begun))
    const { highestSeq, state } = this.#delivered
    this.#keep(await this.#lease.acknowledge(begun.consumer, highestSeq, state))
    this.#delivered = undefined
    return true
  }

  /** The lease, renewed once a third of its time is over. */
  async #hold(): Promise<Consumer | undefined> {
    const { leaseDuration } = this.#options
    if (this.#held && performance.now() - this.#held.since < leaseDuration / 3) return this.#held.consumer
    return this.#renew()
  }

  async #renew(): Promise<Consumer | undefined> {
    const since = performance.now() // of the question: the answer may take its time
    const consumer = await this.#lease.take(this.#options.leaseDuration)
    this.#held = consumer && { consumer, since }
    return consumer
  }

  #keep(consumer: Consumer): void {
    if (this.#held) this.#held = { ...this.#held, consumer }
  }

  /** The batch in flight, or the next one. */
  async #begin(
    position: ReaderPosition,
    consumer: Consumer,
  ): Promise<{ consumer: Consumer; rows: readonly ExactRow[]; until: ReaderCursor } | undefined> {
    if (consumer.inFlight) {
      const rows = this.#deliveredOf(consumer)
        ? []
        : await readBatchAgain(this.#log, position, consumer.cursor, consumer.inFlight)
      return { consumer, rows, until: consumer.inFlight }
    }
    const batch = await readBatch(this.#log, position, consumer.cursor, this.#options.limits)
    if (!batch || this.#stopping.signal.aborted || this.#isToWait(batch)) return undefined
    const begun = await this.#lease.begin(consumer, batch.until, batch.rows.length)
    this.#keep(begun)
    return { consumer: begun, rows: batch.rows, until: batch.until }
  }

  /** Whether a batch that is not full may still wait for more. Its time begins when its first entry is seen here. */
  #isToWait({ rows }: CommittedBatch): boolean {
    const { age = 0, limits } = this.#options
    if (age === 0) return false
    const bytes = rows.reduce((sum, { details }) => sum + Buffer.byteLength(details ?? ''), 0)
    if (rows.length >= limits.entries || bytes >= limits.bytes) return false
    const [{ id }] = rows
    if (this.#waiting?.id !== id) this.#waiting = { id, since: performance.now() }
    return performance.now() - this.#waiting.since < age
  }

  #deliveredOf({ batch, inFlight }: Consumer): Delivered | undefined {
    const same =
      this.#delivered?.number === batch && inFlight && compareCursors(this.#delivered.until, inFlight) === 0
    return same ? this.#delivered : undefined
  }

  /** While the batch is on its way the lease is renewed; where that fails until it ends, the delivery is aborted. */
  async #deliver(
    position: ReaderPosition,
    { consumer, rows, until }: { consumer: Consumer; rows: readonly ExactRow[]; until: ReaderCursor },
  ): Promise<Delivered> {
    const { leaseDuration, deliver } = this.#options
    const ended = new AbortController()
    const onStop = () => ended.abort(this.#stopping.signal.reason)
    this.#stopping.signal.addEventListener('abort', onStop)
    if (this.#stopping.signal.aborted) onStop()
    let renewing = Promise.resolve()
    const timer = setInterval(() => {
      renewing = this.#isStillHeld(consumer).then((isHeld) => {
        if (!isHeld) ended.abort(new AuditError('AUDIT_LEASE_LOST', 'Another process may have taken over.'))
      })
    }, leaseDuration / 3)
    try {
      const state = await deliver({
        ...{ rows, number: consumer.batch, from: consumer.cursor, until, position, state: consumer.state },
        signal: ended.signal,
      })
      const highestSeq = rows.map(({ seq }) => BigInt(seq)).reduce((a, b) => (a > b ? a : b), 0n)
      return { number: consumer.batch, until, highestSeq, state }
    } finally {
      clearInterval(timer)
      this.#stopping.signal.removeEventListener('abort', onStop)
      await renewing // its answer must not come after that of the acknowledgement
    }
  }

  /** Renews the lease; without an answer it is held for as long as it was taken for. */
  async #isStillHeld({ batch }: Consumer): Promise<boolean> {
    const since = this.#held?.since ?? 0
    try {
      const renewed = await this.#renew()
      return renewed?.batch === batch && renewed.inFlight !== undefined
    } catch {
      return performance.now() - since < (this.#options.leaseDuration * 2) / 3
    }
  }
}
