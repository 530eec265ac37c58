import * as z from 'zod/mini'
import { AuditError } from './errors.ts'
import { reporterOf } from './log/report-error.ts'
import { auditOf } from './prisma-7/registry.ts'
import { readerLog } from './reader/reader-log.ts'
import { beginUntilDisconnect } from './reader/until-disconnect.ts'
import { type Sealing, sealOn } from './seal/sealing.ts'
import { openSigner } from './seal/signer.ts'
import type { SealOptions } from './seal-options.ts'
import { sealSchema } from './seal-schema.ts'
import { checkShape } from './values/check-shape.ts'

/** How to seal. What is left out is that of the option `seal` of `withAudit`. */
export interface SealingOptions extends Partial<SealOptions> {
  /**
   * Called when the log can't be read or written, and when its seals do not follow from each other. Default: the option `onError`
   * of `withAudit`, else a process warning.
   */
  onError?: ((error: AuditError) => void) | undefined
}

/**
 * Seals the log of a client: adds the entries that are committed to its Merkle tree, and signs a checkpoint, again and again. It
 * begins with the first entry of the log, and goes on where it was. Writers do nothing for it and wait for nothing. Any number of
 * processes may seal at once. It keeps the process alive until `stop()` or `$disconnect()` ends it. Needs the log's fourth migration.
 *
 * @param client as `withAudit` returned it, or what `$extends` made of that
 * @returns once the key is there
 * @throws AuditError `AUDIT_INVALID_OPTIONS` or `AUDIT_INVALID_KEY`
 *
 * @example
 * ```ts
 * const sealing = await startSealing(prisma, { key: { environment: 'AUDIT_SEAL_KEY' } })
 * process.once('SIGTERM', () => sealing.stop())
 * ```
 */
export async function startSealing(client: object, options: SealingOptions = {}): Promise<Sealing> {
  const log = auditOf(client)?.log
  if (!log) throw sealingRefused('the client is not audited. Pass the client that withAudit returned')
  const { onError: given, ...seal } = options
  const parsed = checkShape(sealSchema, { ...log.options.seal, ...seal })
  if (!parsed.success) throw sealingRefused(z.prettifyError(parsed.error), parsed.error)
  const signer = await openSigner(parsed.data)
  const onError = reporterOf(given ?? log.options.onError)
  return beginUntilDisconnect(log, async () => sealOn(readerLog(log), signer, { ...parsed.data, onError }))
}

function sealingRefused(reason: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_INVALID_OPTIONS', `Sealing can't begin, and nothing was signed: ${reason}`, {
    cause,
  })
}
