import { columnNames, type LogColumn } from '../log/columns.ts'
import type { ExactRow } from '../sink.ts'

/**
 * What differs between an entry as it was stored and as the log has it. This is the one place that decides whether two of them are
 * the same entry.
 *
 * @returns none where they are equal
 */
export function differingColumns(stored: ExactRow, logged: ExactRow): LogColumn[] {
  return columnNames.filter((name) => stored[name] !== logged[name])
}
