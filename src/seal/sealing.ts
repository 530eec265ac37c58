import type { Anchor } from '../anchor.ts'
import type { AuditError } from '../errors.ts'
import { type LastError, lastErrorOf, readingError } from '../log/report-error.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
import { Anchoring } from './anchoring.ts'
import { repeatUntil } from './repeat.ts'
import { Sealer, type SealStep } from './sealer.ts'
import type { Signer } from './signer.ts'

/** What this process sealed since it began. */
export interface SealMetrics {
  readonly entries: number
  readonly checkpoints: number
  /** The newest checkpoint that was added here, and how many entries it covers; null before the first. */
  readonly checkpoint: { readonly number: number; readonly size: number } | null
  /** Attempts that failed; each is followed by another. */
  readonly failures: number
  readonly lastError: LastError | null
  /** By anchor, the newest checkpoint that was published from here; null before the first. */
  readonly anchors: Readonly<Record<string, number | null>>
}

/** Sealing at work. */
export interface Sealing {
  metrics(): SealMetrics
  /** Ends it, once the checkpoint at hand is added, and published. */
  stop(): Promise<void>
  /** Resolves when it has ended. */
  readonly stopped: Promise<void>
}

/** How long the last checkpoint may take to be published once sealing ends. */
const lastPublication = 10_000

/**
 * Seals a log, and goes on with what comes, until it is stopped. Any number may do so at once, and none of them twice.
 *
 * @param options.every milliseconds between two looks
 * @param options.anchors each gets the newest checkpoint, at its own pace: one that is slow or away holds up nobody
 * @param options.onError called with what made it pause. Never throws
 */
export function sealOn(
  log: ReaderLog,
  signer: Signer,
  options: {
    readonly every: number
    readonly anchors?: readonly Anchor[]
    readonly onError: (error: AuditError) => void
  },
): Sealing {
  const { every, anchors = [] } = options
  const sealer = new Sealer(log, signer)
  const stopping = new AbortController()
  const { signal } = stopping
  let metrics: SealMetrics = {
    ...{ entries: 0, checkpoints: 0, checkpoint: null, failures: 0, lastError: null },
    anchors: Object.fromEntries(anchors.map(({ name }) => [name, null])),
  }
  const note = ({ added }: SealStep) => {
    if (!added) return
    const { number, size, entries } = added
    metrics = {
      ...metrics,
      entries: metrics.entries + entries,
      checkpoints: metrics.checkpoints + 1,
      checkpoint: { number, size },
    }
  }
  const onError = (error: AuditError) => {
    metrics = { ...metrics, failures: metrics.failures + 1, lastError: lastErrorOf(error) }
    options.onError(error)
  }
  const seal = async () => {
    const step = await sealer.step()
    note(step)
    return step.isMore ? 0 : every
  }
  const sealed = repeatUntil(signal, seal, onError)
  const anchor = async (one: Anchor) => {
    const anchoring = new Anchoring(log, signer, one)
    const publish = async (until: AbortSignal) => {
      const number = await anchoring.step(until)
      if (number === undefined) return every
      metrics = { ...metrics, anchors: { ...metrics.anchors, [one.name]: number } }
      return Math.max(every, one.every ?? 0)
    }
    await repeatUntil(signal, () => publish(signal), onError)
    await sealed
    await publish(AbortSignal.timeout(lastPublication)).catch((error: unknown) =>
      onError(readingError(error)),
    )
  }
  const stopped = Promise.all([sealed, ...anchors.map(anchor)]).then(() => {})
  const stop = () => {
    stopping.abort()
    return stopped
  }
  return { metrics: () => metrics, stop, stopped }
}
