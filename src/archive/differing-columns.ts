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

const erasable: readonly LogColumn[] = [
  ...(['actor_id', 'actor_email', 'resource_id', 'reason', 'details', 'ip', 'user_agent'] as const),
]

/** Whether an erasure may change a column. */
export function isErasable(name: LogColumn): boolean {
  return erasable.includes(name)
}
