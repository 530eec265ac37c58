import { own } from '../../postgres/identifiers.ts'
import type { EntryQuery } from './entry-insert.ts'
import type { TrackedTable } from './tracked-table.ts'

/** How the entries of one table's rows are made. */
export interface RowEntries {
  /** What to select of each row, name → expression. */
  readonly columns: Record<string, string>
  /** Queries over these columns. */
  readonly queries: readonly EntryQuery[]
  /** Queries for a statement after this one: entries of rows whose new state only the database knows. */
  readonly later?: readonly EntryQuery[]
}

export const noEntries: RowEntries = { columns: {}, queries: [] }

/**
 * One entry for each row that has details.
 *
 * @param from the CTE that has the columns
 * @param columns `action` says what happened to each row, when `action` below does not for all of them
 */
export function entryOfEachRow(
  tracked: TrackedTable,
  from: string,
  columns: Record<'id' | 'details', string> & { readonly action?: string },
  action = `${from}.${own('action')}`,
): RowEntries {
  const details = `${from}.${own('details')}`
  return {
    columns,
    queries: [
      {
        action,
        resourceType: tracked.resourceLiteral,
        resourceId: `${from}.${own('id')}`,
        details,
        from: `${from} WHERE ${details} IS NOT NULL`,
      },
    ],
  }
}

/** `<expression> AS "__audit_<name>"`, for each. */
export function selectList(columns: Record<string, string>): string {
  return Object.entries(columns)
    .map(([name, expression]) => `${expression} AS ${own(name)}`)
    .join(', ')
}
