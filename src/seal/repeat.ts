import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditError } from '../errors.ts'
import { readingError } from '../log/report-error.ts'

const pauses = { first: 1_000, longest: 60_000 }

/**
 * Does something again and again until the signal aborts. Behind an error it pauses: a second, then two, four, up to a minute.
 *
 * @param attempt returns how many milliseconds to wait before the next one
 * @param onError told of each attempt that failed, but for one that the signal ended
 */
export async function repeatUntil(
  signal: AbortSignal,
  attempt: () => Promise<number>,
  onError: (error: AuditError) => void,
): Promise<void> {
  let errors = 0
  while (!signal.aborted) {
    let pause: number
    try {
      pause = await attempt()
      errors = 0
    } catch (thrown) {
      if (signal.aborted) break
      pause = Math.min(pauses.longest, pauses.first * 2 ** errors)
      errors = Math.min(errors + 1, 30)
      onError(readingError(thrown))
    }
    if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => {})
  }
}
