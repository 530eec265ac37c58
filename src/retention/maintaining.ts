import type { AuditError } from '../errors.ts'
import { type LastError, lastErrorOf } from '../log/report-error.ts'
import { repeatUntil } from '../seal/repeat.ts'
import { maintainLog } from './maintain.ts'
import type { MaintenanceAction, MaintenanceOptions } from './maintenance.ts'
import type { OwnedLog } from './owned-log.ts'

/** What this process has done for the log since it began. */
export interface MaintainingMetrics {
  /** How often it was maintained to the end. */
  readonly runs: number
  /** What the last of them did, or waits for; null before the first. */
  readonly lastRun: {
    readonly at: string
    readonly actions: readonly MaintenanceAction[]
    /** When the next one begins: sooner than the interval says where this one waits for something. */
    readonly next: string
  } | null
  /** Attempts that failed; each is followed by another. */
  readonly failures: number
  readonly lastError: LastError | null
}

/** For how many milliseconds at most a run is awaited behind one that waits for something: ten minutes. */
const longestWait = 600_000

/** Maintenance at work. */
export interface Maintaining {
  metrics(): MaintainingMetrics
  /** Ends it, also in the middle: nothing is lost, and the next run goes on. Waits for the statement at hand. */
  stop(): Promise<void>
  /** Resolves when it has ended. */
  readonly stopped: Promise<void>
}

/**
 * Maintains a log now, and again and again until it is stopped.
 *
 * @param options.interval milliseconds between two runs; at most ten minutes behind one that waits for something
 * @param options.onError called with what made it pause. Never throws
 */
export function maintainOn(
  log: OwnedLog,
  options: Omit<MaintenanceOptions, 'isDryRun' | 'note' | 'signal'> & {
    readonly interval: number
    readonly onError: (error: AuditError) => void
  },
): Maintaining {
  const stopping = new AbortController()
  const { signal } = stopping
  let metrics: MaintainingMetrics = { runs: 0, lastRun: null, failures: 0, lastError: null }
  const onError = (error: AuditError) => {
    metrics = { ...metrics, failures: metrics.failures + 1, lastError: lastErrorOf(error) }
    options.onError(error)
  }
  const maintain = async () => {
    const actions = await maintainLog(log, { ...options, isDryRun: false, signal })
    const isWaiting = actions.some(({ action }) => action === 'wait for')
    const pause = isWaiting ? Math.min(options.interval, longestWait) : options.interval
    const now = Date.now()
    const [at, next] = [now, now + pause].map((time) => new Date(time).toISOString()) as [string, string]
    metrics = { ...metrics, runs: metrics.runs + 1, lastRun: { at, actions, next } }
    return pause
  }
  const stopped = repeatUntil(signal, maintain, onError)
  const stop = () => {
    stopping.abort()
    return stopped
  }
  return { metrics: () => metrics, stop, stopped }
}
