import { setImmediate } from 'node:timers/promises'
import { newId } from '../id.ts'
import type { Call } from '../log/call.ts'
import { deliver } from '../log/deliver.ts'
import type { NewEntry } from '../log/insert.ts'
import type { Log } from '../log/log.ts'
import { resourceOf } from '../models/data-model.ts'
import { keyIn, resourceId } from '../values/resource-id.ts'
import { storable } from '../values/storable.ts'
import { isUnreachable, type PrismaErrorLike, reachedDatabase } from './kind.ts'
import { failureReason } from './reason.ts'
import { secretValues } from './secret-values.ts'

/** A `$transaction([…])` that fails as a whole fails in each of its calls, but is one failure, recorded once. */
const failedBatches = new WeakMap<object, Promise<void>>()

/**
 * Errors that are in the log. An extension may replace a call by another audited one (a soft delete by an update); the
 * error then passes through both. It is one failure, of what was really tried.
 */
const recordedErrors = new WeakSet<object>()

/**
 * Records a write that failed: one entry `resource.verb` with the attempted verb. Outside an interactive transaction it
 * is durable when this resolves; inside one it is queued, and survives the rollback. If the database can't be reached,
 * the entry is queued too.
 *
 * Never throws: the caller gets the error of the write.
 *
 * @param wrote whether the failed raw statement was a write; undefined when it did not get far enough to tell
 */
export async function recordFailure(
  log: Log,
  call: Call,
  error: unknown,
  wrote: boolean | undefined,
): Promise<void> {
  const verb = attemptedVerb(log, call, wrote)
  const failure = reachedDatabase(error) ? error : undefined
  if (verb === undefined || !failure) return batchRecorded(call)
  if (call.batch && failedBatches.has(call.batch)) return failedBatches.get(call.batch)
  if (recordedErrors.has(failure)) return
  // when an extension runs a raw statement next to the call, the error may be the call's
  if (call.model !== undefined) recordedErrors.add(failure)
  const when = call.transaction === 'itx' || isUnreachable(failure) ? 'later' : 'now'
  const delivery = deliver(log, when, async () => [await failureEntry(log, call, verb, failure)])
  if (call.batch) failedBatches.set(call.batch, delivery)
  await delivery
}

/** The caller of a `$transaction([…])` gets the first error of its calls, which may be a read's: so reads wait too. */
async function batchRecorded({ batch }: Call): Promise<void> {
  if (!batch) return
  await setImmediate() // by then the error has reached all calls
  await failedBatches.get(batch)
}

/** Whether a call writes to something recorded. Of raw statements, those run for their effect. */
export function attemptsWrite(log: Log, call: Call): boolean {
  return attemptedVerb(log, call, undefined) !== undefined
}

/**
 * Records that an interactive transaction with writes failed at its end: one entry `transaction.commit`, since none of
 * its calls failed. A deferred constraint, a serialization failure or a time-out can show that late. Never throws.
 */
export async function recordFailedCommit(log: Log, error: unknown): Promise<void> {
  if (!(error instanceof Error)) return
  const context = log.context()
  const entry: NewEntry = {
    id: newId(),
    action: 'transaction.commit',
    resourceType: 'transaction',
    resourceId: null,
    outcome: 'failure',
    reason: failureReason(error, []),
    details: { operation: '$transaction', ...(context.metadata && { metadata: context.metadata }) },
    context,
  }
  await deliver(log, isUnreachable(error) ? 'later' : 'now', async () => [entry])
}

async function failureEntry(log: Log, call: Call, verb: string, error: PrismaErrorLike): Promise<NewEntry> {
  const { context, model, operation } = call
  const resource = model === undefined ? 'raw' : resourceOf(model)
  return {
    id: newId(),
    action: `${resource}.${verb}`,
    resourceType: resource,
    resourceId: model === undefined ? null : await attemptedId(log, call, model),
    outcome: 'failure',
    reason: failureReason(error, secretValues(log, call)),
    details: { operation, ...(context.metadata && { metadata: context.metadata }) },
    context,
  }
}

/** The record that the arguments identify by its whole primary key. */
async function attemptedId(log: Log, call: Call, model: string): Promise<string | null> {
  const { where, data } = call.args as { where?: unknown; data?: unknown }
  const named = call.operation.startsWith('create') ? data : where
  try {
    const known = await log.models.get(model, log.connection)
    const key = keyIn(known, named)
    return key ? storable(resourceId(known, key, log.options.isRedacted)) : null
  } catch {
    return null // without the catalog the key is unknown, and recording the failure matters more
  }
}

/** @returns undefined when the call is not a write, or its writes are not recorded */
function attemptedVerb(log: Log, { model, operation }: Call, wrote: boolean | undefined): string | undefined {
  if (model === undefined) {
    const isWrite = wrote ?? operation.startsWith('$executeRaw')
    return isWrite ? 'execute' : undefined
  }
  if (!log.options.isTracked(model)) return undefined
  return /^(create|update|upsert|delete)/.exec(operation)?.[1]
}
