import { type AuditEntry, toEntry } from '../log/entry.ts'
import type { ReadableLog } from '../log/log.ts'
import { resolveConditions } from './conditions.ts'
import type { Position } from './cursor.ts'
import type { ParsedFilter } from './filter.ts'
import { readRows } from './page.ts'

/** Entries held at a time. */
const batchSize = 100

/** All entries that meet a filter, newest first, read in batches as they are asked for. */
export async function* streamEntries(
  log: ReadableLog,
  filter: ParsedFilter,
): AsyncGenerator<AuditEntry, void, void> {
  const conditions = await resolveConditions(log, filter)
  let position: Position | undefined
  while (true) {
    const rows = await readRows(log, conditions, position, batchSize)
    for (const row of rows) yield toEntry(row)
    position = rows.at(-1)
    if (rows.length < batchSize) return
  }
}
