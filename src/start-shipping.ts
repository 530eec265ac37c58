import * as z from 'zod/mini'
import { AuditError } from './errors.ts'
import { reporterOf } from './log/report-error.ts'
import { auditOf } from './prisma-7/registry.ts'
import { paceShape } from './reader/pace.ts'
import { readerLog } from './reader/reader-log.ts'
import { beginUntilDisconnect } from './reader/until-disconnect.ts'
import type { Sink } from './sink.ts'
import { sinksSchema } from './sink-schema.ts'
import { type Shipping, shipToAll } from './sinks/shipping.ts'
import { checkShape, errorHandler } from './values/check-shape.ts'

/** How to ship. */
export interface ShippingOptions {
  /** Where to. Default: the option `sinks` of `withAudit`. */
  sinks?: readonly Sink[] | undefined
  /** Milliseconds between two looks for new entries. Default 1,000. */
  pollInterval?: number | undefined
  /** Milliseconds after which another process takes over from one that is silent. Default 30,000. */
  leaseDuration?: number | undefined
  /**
   * Called when a sink did not store a batch (`AUDIT_SINK_AWAY`, `AUDIT_SINK_THROTTLED` or `AUDIT_SINK_REFUSED`), when the log
   * can't be read, and when another process has taken over. Default: the option `onError` of `withAudit`, else a process warning.
   */
  onError?: ((error: AuditError) => void) | undefined
}

const shippingSchema = z.strictObject({
  sinks: z.optional(sinksSchema),
  ...paceShape,
  onError: errorHandler,
})

/**
 * Delivers every committed entry of a client's log to sinks: at least once, in order, and by one process at a time for each
 * sink, however many ship. It begins with the first entry of the log, and goes on where it was. It keeps the process alive until
 * `stop()` or `$disconnect()` ends it. Needs the log's third migration.
 *
 * @param client as `withAudit` returned it, or what `$extends` made of that
 * @returns once the place of every sink is known
 * @throws AuditError `AUDIT_INVALID_OPTIONS`, `AUDIT_TABLE_MISSING`, `AUDIT_UNREADABLE` or `AUDIT_ERA_UNCLEAR`
 *
 * @example
 * ```ts
 * const shipping = await startShipping(prisma, { sinks: [files({ directory: '/var/log/audit' })] })
 * process.once('SIGTERM', () => shipping.stop())
 * ```
 */
export async function startShipping(client: object, options: ShippingOptions = {}): Promise<Shipping> {
  const log = auditOf(client)?.log
  if (!log) throw shippingRefused('the client is not audited. Pass the client that withAudit returned')
  const parsed = checkShape(shippingSchema, options)
  if (!parsed.success) throw shippingRefused(z.prettifyError(parsed.error), parsed.error)
  const { sinks = log.options.sinks, ...given } = parsed.data
  if (sinks.length === 0) throw shippingRefused('there is no sink. Name them with the option sinks')
  const onError = reporterOf(given.onError ?? log.options.onError)
  return beginUntilDisconnect(log, () => shipToAll(readerLog(log), sinks, { ...given, onError }))
}

function shippingRefused(reason: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_INVALID_OPTIONS', `Shipping can't begin, and nothing was read: ${reason}`, {
    cause,
  })
}
