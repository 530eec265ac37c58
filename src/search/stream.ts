import { type AuditEntry, type EntryRow, toEntry } from '../log/entry.ts'
import type { ReadableLog } from '../log/log.ts'
import { resolveConditions } from './conditions.ts'
import type { Position } from './cursor.ts'
import type { ParsedFilter } from './filter.ts'
import { lastPosition } from './find-entries.ts'
import { findInBoth } from './find-in-both.ts'
import { entriesOf } from './page.ts'

/** Entries held at a time. */
const batchSize = 100

/** All entries that meet a filter, newest first, read in batches as they are asked for. */
export async function* streamEntries(
  log: ReadableLog,
  filter: ParsedFilter,
): AsyncGenerator<AuditEntry, void, void> {
  const conditions = await resolveConditions(log, filter)
  let before: Position | undefined
  while (true) {
    const { rows } = await findInBoth<EntryRow>(entriesOf(log), conditions, { before, count: batchSize })
    for (const row of rows) yield toEntry(row)
    before = lastPosition(rows)
    if (rows.length < batchSize) return
  }
}
