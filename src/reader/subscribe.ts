import * as z from 'zod/mini'
import { AuditError } from '../errors.ts'
import type { AuditEntry } from '../log/entry.ts'
import { exactEntry } from '../log/exact-entry.ts'
import type { Log } from '../log/log.ts'
import { reporterOf } from '../log/report-error.ts'
import { checkShape, errorHandler } from '../values/check-shape.ts'
import { defaultLimits } from './committed-entries.ts'
import { consume, type Delivery } from './consume.ts'
import { paceShape } from './pace.ts'
import { readerLog } from './reader-log.ts'
import { beginUntilDisconnect } from './until-disconnect.ts'

/** Called with entries after their transactions have been committed. See {@link Subscriptions.subscribe}. */
export type EntriesHandler = (entries: AuditEntry[], batch: SubscriptionBatch) => void | PromiseLike<void>

/** What a handler is told besides its entries. */
export interface SubscriptionBatch {
  /** From 1, without gaps, per subscription. The same number always has the same entries: a key to recognize doubles by. */
  number: bigint
  /** Aborted when the subscription stops, and when another process may have taken over: what is still to do is better left. */
  signal: AbortSignal
}

/** How to subscribe. */
export interface SubscribeOptions {
  /**
   * Where a new name begins: with what is committed from now on (default), or with the first entry that is in the log's table. What has
   * left for the archive is not told of. It leaves only once all names that are there have been told.
   */
  from?: 'now' | 'beginning' | undefined
  /** How many entries the handler gets at most: 1 to 10,000, default 100. */
  batchSize?: number | undefined
  /** Milliseconds between two looks for new entries. Default 1,000. */
  pollInterval?: number | undefined
  /** Milliseconds after which another process takes over from one that is silent. Default 30,000. */
  leaseDuration?: number | undefined
  /**
   * Called when the handler fails (`AUDIT_SUBSCRIBER_FAILED`, with its error as `cause`), when the log can't be read, and
   * when another process has taken over. Default: the option `onError` of `withAudit`, else a process warning.
   */
  onError?: ((error: AuditError) => void) | undefined
  /** Aborting it stops the subscription, as `stop()` does. */
  signal?: AbortSignal | undefined
}

/** A subscription at work. */
export interface Subscription {
  /**
   * Ends it: looks for no more entries, aborts the `signal` of a batch at hand, waits for its handler, and lets another
   * process begin at once. Not to be awaited inside the handler itself.
   */
  stop(): Promise<void>
}

/** The part of `$audit` that tells of new entries. */
export interface Subscriptions {
  /**
   * Tells a handler of every entry after its transaction has been committed, in order and at least once: what it has not
   * returned from before the process ended comes again, with the same batch number. When it throws, or rejects, it gets the
   * same batch again, after a second, then two, up to a minute; nothing is skipped. Of several processes that subscribe with
   * one name one works, and another takes over when it stops or falls silent.
   *
   * The handler runs outside of every audit context. It looks at the log each `pollInterval`; writers do nothing for it.
   * An open transaction that has written holds back what was committed after it began. The subscription keeps the process
   * alive until `stop()`, `signal` or `$disconnect()` ends it.
   *
   * @param name of the subscriber, 1 to 200 characters: the database keeps how far it is
   * @returns once the place of the subscriber is known: what is committed from now on reaches it
   * @throws AuditError `AUDIT_INVALID_SUBSCRIPTION`, `AUDIT_TABLE_MISSING`, `AUDIT_UNREADABLE` or `AUDIT_ERA_UNCLEAR`
   *
   * @example
   * ```ts
   * const subscription = await prisma.$audit.subscribe('alerts', async (entries) => {
   *   for (const { actor, action, outcome } of entries) {
   *     if (action === 'user.login' && outcome === 'failure') await alert(`${actor.id} failed to log in`)
   *   }
   * })
   * process.once('SIGTERM', () => subscription.stop())
   * ```
   */
  subscribe(name: string, handler: EntriesHandler, options?: SubscribeOptions): Promise<Subscription>
}

const subscriptionSchema = z.strictObject({
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  handler: z.custom<EntriesHandler>((value) => typeof value === 'function', 'must be a function'),
  from: z._default(z.enum(['now', 'beginning']), 'now'),
  batchSize: z._default(z.int().check(z.minimum(1), z.maximum(10_000)), 100),
  ...paceShape,
  onError: errorHandler,
  signal: z.optional(z.instanceof(AbortSignal)),
})

export function createSubscriptions(log: Log): Subscriptions {
  return {
    subscribe: async (name, handler, options = {}) => {
      const given = parseSubscription(log, { ...options, name, handler })
      const report = reporterOf(given.onError ?? log.options.onError)
      const consuming = await beginUntilDisconnect(log, () =>
        consume(readerLog(log), {
          ...{ name: given.name, start: given.from, onError: report },
          ...{ pollInterval: given.pollInterval, leaseDuration: given.leaseDuration },
          limits: { ...defaultLimits, entries: given.batchSize },
          pauses: { first: 1_000, longest: 60_000 },
          deliver: (delivery) => handleBatch(given.name, given.handler, delivery),
        }),
      )
      const stop = () => consuming.stop()
      const onAbort = () => void stop()
      given.signal?.addEventListener('abort', onAbort)
      if (given.signal?.aborted) onAbort()
      void consuming.stopped.then(() => given.signal?.removeEventListener('abort', onAbort))
      return { stop }
    },
  }
}

function parseSubscription(log: Log, subscription: unknown): z.output<typeof subscriptionSchema> {
  if (log.isTransaction) {
    throw invalidSubscription(
      'a transaction ends before its entries can be told of. Subscribe with the client itself',
    )
  }
  const parsed = checkShape(subscriptionSchema, subscription)
  if (parsed.success) return parsed.data
  throw invalidSubscription(z.prettifyError(parsed.error), parsed.error)
}

function invalidSubscription(reason: string, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_INVALID_SUBSCRIPTION',
    `The subscription can't begin, and nothing was read: ${reason}`,
    { cause },
  )
}

async function handleBatch(
  name: string,
  handler: EntriesHandler,
  { batch, number, signal }: Delivery,
): Promise<void> {
  try {
    await handler(batch.rows.map(exactEntry), { number, signal })
  } catch (cause) {
    throw new AuditError(
      'AUDIT_SUBSCRIBER_FAILED',
      `The handler of the subscription ${JSON.stringify(name)} failed on batch ${number} with ${batch.entries} ${batch.entries === 1 ? 'entry' : 'entries'}. It gets the same entries again after a pause, and no later ones before it succeeds. See cause.`,
      { cause },
    )
  }
}
