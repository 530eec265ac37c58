import { AuditError } from '../errors.ts'
import { type NewEntry, writeEntries } from './insert.ts'
import type { Log } from './log.ts'

/**
 * Writes entries about a finished call. `'now'`: they are durable when this resolves; if they can't be written, they
 * are queued. `'later'`: they are queued and nobody waits, since during an interactive transaction the pool may have no
 * other connection.
 *
 * Never throws: it must not change the call's result or error. Entries that could not even be queued are reported to
 * `onError`.
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
      await log.queue.add(...entries) // which tries again, and reports failures to onError
    }
  })
}

function reportLoss(log: Log, cause: unknown): void {
  try {
    log.options.onError?.(
      new AuditError(
        'AUDIT_NOT_WRITTEN',
        'An entry about a failed write or a read could not be written or queued, so the log lacks it. See cause.',
        { cause },
      ),
    )
  } catch {
    // nobody can catch what onError throws: the call has its own result or error
  }
}
