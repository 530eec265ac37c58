import { own } from '../../postgres/identifiers.ts'
import { differs } from '../../values/sql-json.ts'
import { keyPatch, type Reach } from './referential-actions.ts'
import type { RowAddress, RowNames } from './row-names.ts'
import type { TrackedTable } from './tracked-table.ts'

/** The rows of a statement that start referential actions. */
export interface StartRows {
  /** A row's old address, and which of its referenced columns change, name → expression. */
  readonly columns: Record<'relation' | 'row' | 'patch', string>
  /** Which of the rows, as a WHERE clause. */
  readonly where: string
  /** What caused the actions, as an SQL literal. */
  readonly cause: string
}

/** The patch of a deleted row. */
export const removed = 'NULL::jsonb'

export function startFromRemoved(
  reach: Reach | undefined,
  tracked: TrackedTable,
  address: RowAddress,
): StartRows | undefined {
  return reach && { columns: columnsOf(address, removed), where: '', cause: tracked.action('delete') }
}

/** Rows whose referenced columns don't change start nothing. */
export function startFromChanged(
  reach: Reach | undefined,
  tracked: TrackedTable,
  { before, after, address }: Omit<RowNames, 'with'>,
): StartRows | undefined {
  if (!reach) return undefined
  const patch = keyPatch(reach, (column) => ({
    value: after(column),
    test: differs(column, before(column), after(column)),
  }))
  return {
    columns: columnsOf(address, patch),
    where: ` WHERE ${own('patch')} IS NOT NULL`,
    cause: tracked.action('update'),
  }
}

/** @param changed the CTE that has the columns */
export function startCte({ where }: StartRows, changed: string): string {
  const columns = ['relation', 'row', 'patch'].map(own).join(', ')
  return `${own('start')}(relation, "row", patch) AS (SELECT ${columns} FROM ${changed}${where})`
}

function columnsOf(address: RowAddress, patch: string): StartRows['columns'] {
  return { relation: address('tableoid'), row: address('ctid'), patch }
}
