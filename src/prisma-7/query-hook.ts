import type { CaptureConfiguration } from '../capture/configuration.ts'
import { type CaptureScope, openScope, runInScope } from '../capture/scope.ts'
import { attemptsWrite, recordFailure } from '../failures/failures.ts'
import type { Call } from '../log/call.ts'
import type { Log } from '../log/log.ts'
import { prepareRead, type RecordedRead } from '../reads/reads.ts'
import { resultShapeOf } from './caller.ts'
import type { ClientInternals, InternalParameters } from './internals.ts'
import type { TapProbe } from './probe.ts'
import { connectionInside, noteWrite } from './transactions.ts'

/** A call of the client, as Prisma passes it to `$allOperations`. */
interface HookedCall {
  readonly model?: string
  readonly operation: string
  readonly args: unknown
  readonly query: (args: unknown) => PromiseLike<unknown>
  readonly __internalParams?: InternalParameters
}

/**
 * What the audit does around each call of an audited client: it opens a scope, in which the tap finds the call's
 * statements, and records what the statements can't: reads, and writes that fail.
 */
export function createQueryHook(
  configuration: CaptureConfiguration,
  client: ClientInternals,
  log: Log,
  probe: TapProbe,
): (call: HookedCall) => Promise<unknown> {
  const { options } = configuration
  /** All calls of a `$transaction([…])` run in the scope of its first one, so they share it. */
  const scopesOfBatches = new WeakMap<object, CaptureScope>()

  return async (hooked) => {
    const { operation, args, query, __internalParams: internal = {} } = hooked
    const { transaction } = internal
    const batch = batchOf(internal)
    const scope = (batch && scopesOfBatches.get(batch)) ?? openScope(configuration)
    scope.operations.push({ name: operation, sql: rawText(hooked) })
    if (batch) scopesOfBatches.set(batch, scope)
    const describeCall = () => callOf(hooked, scope, internal.caller ?? client, log)
    let read: RecordedRead | undefined
    if (options.failures && transaction?.kind === 'itx' && attemptsWrite(log, describeCall())) {
      noteWrite(transaction)
    }
    try {
      if (!probe.isConfirmed) await probe.confirm()
      if (options.recordsReads) read = await prepareRead(log, describeCall())
      // a PrismaPromise starts when it is awaited, and that has to be inside the scope
      const result = await runInScope(scope, async () => await query(read ? read.args : args))
      return read ? await read.finish(result) : result
    } catch (caught) {
      const error = scope.error ?? caught
      await read?.fail(error)
      if (options.failures) await recordFailure(log, describeCall(), error, scope.failedToWrite)
      throw error
    } finally {
      // Prisma reads the arguments again when it adds computed fields
      if (read && internal.args === read.args) internal.args = args
    }
  }
}

/** The text of a raw statement: of a template its parts, with `$1` and so on between them. */
function rawText({ model, operation, args }: HookedCall): string | undefined {
  if (model !== undefined || !operation.startsWith('$')) return undefined
  const { text, 0: first } = args as { readonly text?: unknown; readonly 0?: unknown }
  return typeof text === 'string' ? text : typeof first === 'string' ? first : ''
}

/** The same object for all calls of one `$transaction([…])`. */
function batchOf({ transaction }: InternalParameters): object | undefined {
  return transaction?.kind === 'batch' ? transaction.lock : undefined
}

/** What failures and reads need to know about a call. */
function callOf(
  { model, operation, args, __internalParams: internal = {} }: HookedCall,
  { context, hasActor }: CaptureScope,
  caller: ClientInternals,
  log: Log,
): Call {
  const { transaction, dataPath = [] } = internal
  return {
    ...{ model, operation, args, context, hasActor },
    path: dataPath.filter((_, index) => index % 2 === 1),
    transaction: transaction?.kind,
    batch: batchOf(internal),
    connection: (transaction?.kind === 'itx' && connectionInside(transaction)) || log.connection,
    shape: resultShapeOf(caller),
  }
}
