import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditError, AuditErrorCode } from '../errors.ts'
import { readingError } from '../log/report-error.ts'
import type { ReaderLog } from '../reader/reader-log.ts'
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
  readonly lastError: { readonly at: string; readonly code: AuditErrorCode; readonly message: string } | null
}

/** Sealing at work. */
export interface Sealing {
  metrics(): SealMetrics
  /** Ends it, once the checkpoint at hand is added. */
  stop(): Promise<void>
  /** Resolves when it has ended. */
  readonly stopped: Promise<void>
}

const pauses = { first: 1_000, longest: 60_000 }

/**
 * Seals a log, and goes on with what comes, until it is stopped. Any number may do so at once, and none of them twice.
 *
 * @param options.every milliseconds between two looks
 * @param options.onError called with what made it pause. Never throws
 */
export function sealOn(
  log: ReaderLog,
  signer: Signer,
  { every, onError }: { readonly every: number; readonly onError: (error: AuditError) => void },
): Sealing {
  const sealer = new Sealer(log, signer)
  const stopping = new AbortController()
  let metrics: SealMetrics = { entries: 0, checkpoints: 0, checkpoint: null, failures: 0, lastError: null }
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
  const run = async () => {
    let errors = 0
    while (!stopping.signal.aborted) {
      let pause: number
      try {
        const step = await sealer.step()
        note(step)
        pause = step.isMore ? 0 : every
        errors = 0
      } catch (thrown) {
        if (stopping.signal.aborted) break
        const error = readingError(thrown)
        pause = Math.min(pauses.longest, pauses.first * 2 ** errors)
        errors = Math.min(errors + 1, 30)
        const lastError = { at: new Date().toISOString(), code: error.code, message: error.message }
        metrics = { ...metrics, failures: metrics.failures + 1, lastError }
        onError(error)
      }
      if (pause > 0) await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const stopped = run()
  const stop = () => {
    stopping.abort()
    return stopped
  }
  return { metrics: () => metrics, stop, stopped }
}
