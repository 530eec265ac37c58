import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditError } from '../errors.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { sealOn } from '../seal/sealing.ts'
import { openSigner } from '../seal/signer.ts'
import { type Shipping, type SinkMetrics, shipToAll } from '../sinks/shipping.ts'
import { loadAuditConfig } from './audit-config.ts'
import { sealIn, sinksIn, withoutSinks } from './config-options.ts'
import { withReaderLog } from './open-log.ts'
import { countedEntries } from './quantity.ts'
import { sealingNote, sealOnce } from './seal.ts'
import { tableOption } from './usage.ts'

const intervals = { pollInterval: 1_000, leaseDuration: 30_000 }

/**
 * Ships to the sinks of the project in `directory`, until `signal` aborts; with `once` until all that is committed is delivered.
 * Seals the log, too, where it has the option seal.
 *
 * @param note told what begins, and each error
 * @returns how each sink does at the end
 * @throws AuditError `AUDIT_CLI` where there is no sink or no database
 */
export async function shipLog(
  directory: string,
  { table, once, signal }: { table: string | undefined; once: boolean; signal: AbortSignal },
  note: (text: string) => void,
): Promise<SinkMetrics[]> {
  const config = await loadAuditConfig(directory)
  const seal = sealIn(config)
  const sinks = sinksIn(config)
  if (sinks.length === 0 && !seal) throw withoutSinks(config, 'there is nowhere to ship to')
  const signer = seal && (await openSigner(seal))
  return withReaderLog(directory, tableOption(table ?? config.options.table), async (log) => {
    const onError = (error: AuditError) => note(error.message)
    const shipping = await shipToAll(log, sinks, { ...intervals, onError })
    if (sinks.length > 0) {
      const names = sinks.map(({ name }) => name).join(', ')
      note(`Shipping ${quoteTable(log.table)} to ${names}.${once ? '' : ' Ctrl-C ends it.'}`)
    }
    if (signer) note(sealingNote(log.table, signer, once))
    const sealing = seal && signer && !once ? sealOn(log, signer, { ...seal, onError }) : undefined
    if (once && seal && signer) await sealOnce(log, signer, seal.anchors, signal)
    await (once ? untilDelivered(shipping, signal) : untilAborted(signal))
    await Promise.all([shipping.stop(), sealing?.stop()])
    return shipping.metrics()
  })
}

async function untilDelivered(shipping: Shipping, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const metrics = await shipping.metrics()
    if (metrics.every(({ lag }) => lag.entries === 0)) return
    await sleep(200, undefined, { signal }).catch(() => {})
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** A line for each sink. */
export function describeMetrics(metrics: readonly SinkMetrics[]): string {
  const lines = metrics.map(({ name, delivered, lag, failures }) => {
    const failed = failures === 0 ? '' : `, ${failures} ${failures === 1 ? 'attempt' : 'attempts'} failed`
    return `${name}: ${countedEntries(delivered.entries)} delivered${failed}, ${lag.entries === 0 ? 'none' : lag.entries} left\n`
  })
  return lines.join('')
}
