import { setTimeout as sleep } from 'node:timers/promises'
import { AuditError } from '../errors.ts'
import { type Consumer, ConsumerLease, type ConsumerStart } from './consumer.ts'
import { compareCursors, type ReaderCursor } from './cursor.ts'
import { type Era, type ReaderPosition, readPosition } from './eras.ts'
import { type BatchLimits, type CommittedBatch, readBatch, readBatchAgain } from './read-batch.ts'
import type { ReaderLog } from './reader-log.ts'

/** A batch on its way to a consumer. */
export interface Delivery {
  readonly batch: CommittedBatch
  /** From 1, without gaps. The same number always has the same entries. */
  readonly number: bigint
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
  /** Where a batch begins that is not full yet. */
  #waiting: { from: ReaderCursor; since: number } | undefined
  /** The batch behind the one on its way, and the era in which it was read; undefined where it is not full. */
  #ahead: Promise<{ batch: CommittedBatch; era: string } | undefined> | undefined

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
        pause = await this.#step()
        errors = 0
      } catch (error) {
        this.#held = undefined // the row says what is so
        if (signal.aborted) break
        this.#ahead = undefined // by the next attempt its entries may have been erased
        const { first, longest, atLeast } = this.#options.pauses
        pause = Math.min(longest, first * 2 ** errors) * (0.75 + Math.random() / 4)
        pause = Math.max(pause, atLeast?.(error) ?? 0)
        errors = Math.min(errors + 1, 30)
        this.#options.onError(error)
      }
      if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => {})
    }
    await this.#ahead
    await this.#lease.release().catch(() => {}) // then it ends by itself
  }

  /** One batch. @returns how many milliseconds to pause */
  async #step(): Promise<number> {
    const { pollInterval } = this.#options
    const consumer = await this.#hold()
    if (!consumer) return pollInterval
    const position = await readPosition(this.#log)
    const { inFlight } = consumer
    let delivered = inFlight && this.#deliveredOf(consumer, inFlight)
    let begun = consumer
    if (!delivered) {
      const batch = inFlight
        ? await readBatchAgain(this.#log, position, consumer.cursor, inFlight)
        : await this.#next(position, consumer.cursor)
      if (!batch || this.#stopping.signal.aborted) return pollInterval
      const wait = inFlight ? 0 : this.#waitFor(batch)
      if (wait > 0) return Math.min(wait, pollInterval)
      if (!inFlight) begun = await this.#lease.begin(consumer, batch.until, batch.entries)
      this.#keep(begun)
      delivered = await this.#deliver(position, begun, batch)
    }
    this.#delivered = delivered
    this.#keep(await this.#lease.acknowledge(begun, delivered.highestSeq, delivered.state))
    this.#delivered = undefined
    return 0
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

  /** The batch behind a cursor: as it was read ahead, unless another era has begun since. */
  async #next(position: ReaderPosition, cursor: ReaderCursor): Promise<CommittedBatch | undefined> {
    const ahead = await this.#ahead
    this.#ahead = undefined
    const holds =
      ahead && compareCursors(ahead.batch.from, cursor) === 0 && ahead.era === presentEra(position)
    return holds ? ahead.batch : readBatch(this.#log, position, cursor, this.#options.limits)
  }

  /** Reads on while a full batch is on its way. Nothing is begun by that: the bounds are committed when its turn has come. */
  #readAhead(position: ReaderPosition, batch: CommittedBatch): void {
    const { limits } = this.#options
    if (!batch.isFull(limits)) return
    this.#ahead = readBatch(this.#log, position, batch.until, limits)
      .then((next) => (next?.isFull(limits) ? { batch: next, era: presentEra(position) } : undefined))
      .catch(() => undefined) // it is read once more then, and says what is wrong
  }

  /**
   * Milliseconds that a batch which is not full still waits for more: until its oldest entry is of a certain age, or was seen here
   * for as long, whichever clock is wrong.
   */
  #waitFor(batch: CommittedBatch): number {
    const { age = 0, limits } = this.#options
    if (age === 0 || batch.isFull(limits)) return 0
    const now = performance.now()
    if (!this.#waiting || compareCursors(this.#waiting.from, batch.from) !== 0) {
      this.#waiting = { from: batch.from, since: now }
    }
    return age - Math.max(batch.age, now - this.#waiting.since)
  }

  #deliveredOf({ batch }: Consumer, inFlight: ReaderCursor): Delivered | undefined {
    const same = this.#delivered?.number === batch && compareCursors(this.#delivered.until, inFlight) === 0
    return same ? this.#delivered : undefined
  }

  /** While the batch is on its way the lease is renewed; where that fails until it ends, the delivery is aborted. */
  async #deliver(position: ReaderPosition, consumer: Consumer, batch: CommittedBatch): Promise<Delivered> {
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
      this.#readAhead(position, batch)
      const { batch: number, state: kept } = consumer
      const state = await deliver({ batch, number, position, state: kept, signal: ended.signal })
      return { number, until: batch.until, highestSeq: batch.highestSeq, state }
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

function presentEra({ eras }: ReaderPosition): string {
  return (eras.at(-1) as Era).id
}
