import type { ReaderCursor } from './cursor.ts'
import { readPosition } from './eras.ts'
import { type BatchLimits, type CommittedBatch, readBatch } from './read-batch.ts'
import type { ReaderLog } from './reader-log.ts'

/** What one batch holds at most, unless told otherwise. */
export const defaultLimits: BatchLimits = { entries: 1_000, bytes: 8 * 1024 * 1024 }

/**
 * Committed entries behind a cursor, in the order of eras, transaction ids and `seq`, a batch at a time. None is left out,
 * however long the transactions that are open meanwhile. Ends at the horizon: to go on, call it again with `until` of the
 * last batch.
 *
 * @throws AuditError `AUDIT_CURSOR_AHEAD`, `AUDIT_ERA_UNCLEAR`, `AUDIT_TABLE_MISSING` or `AUDIT_UNREADABLE`
 */
export async function* readCommitted(
  log: ReaderLog,
  after: ReaderCursor,
  limits: BatchLimits = defaultLimits,
): AsyncGenerator<CommittedBatch, void, void> {
  let cursor = after
  while (true) {
    const batch = await readBatch(log, await readPosition(log), cursor, limits)
    if (!batch) return
    yield batch
    cursor = batch.until
  }
}
