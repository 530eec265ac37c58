import { AuditError } from '../errors.ts'
import { type NewEntry, writeEntries } from './insert.ts'
import type { Log } from './log.ts'

/**
 * Writes entries about a call that is over. `'now'`: they are durable when this resolves; the queue gets them if they
 * can't be written. `'later'`: the queue gets them, and nobody waits, since inside an interactive transaction the
 * pool may have no other connection to write on.
 *
 * Never throws: what the call gives or throws is its own. Entries that not even the queue took go to `onError`.
 *
 * @param make makes the entries; it may ask the database
 */
export async function deliver(
  log: Log,
  when: 'now' | 'later',
  make: () => Promise<readonly NewEntry[]>,
): Promise<void> {
  const run = (work: () => Promise<void>) =>
    log.background.run(() => work().catch((cause: unknown) => reportLoss(log, cause)))
  if (when === 'later') {
    void run(async () => log.queue.add(...(await make())))
    return
  }
  await run(async () => {
    const entries = await make()
    try {
      await writeEntries(log.options.table, log.connection, entries)
    } catch {
      await log.queue.add(...entries) // which tries again, and tells onError what stands in the way
    }
  })
}

function reportLoss(log: Log, cause: unknown): void {
  try {
    log.options.onError?.(
      new AuditError(
        'AUDIT_NOT_WRITTEN',
        'An entry about a failed write or a read could not be written, nor queued, so the log lacks it. The cause says what stands in the way.',
        { cause },
      ),
    )
  } catch {
    // an onError that throws has nobody to throw at: the call has its own result or error
  }
}
