import { own } from '../../postgres/identifiers.ts'
import type { EntryQuery } from './entry-insert.ts'
import type { TrackedTable } from './tracked-table.ts'

/** How the rows of one table give their entries. */
export interface RowEntries {
  /** What to select of each row, name → expression. */
  readonly columns: Record<string, string>
  /** Queries over these columns. */
  readonly queries: readonly EntryQuery[]
  /** Queries for a statement after this one: entries of rows that only the database can tell how they came out. */
  readonly later?: readonly EntryQuery[]
}

export const noEntries: RowEntries = { columns: {}, queries: [] }

/**
 * One entry for each row that has details.
 *
 * @param from the CTE that has the columns
 * @param columns `action` may say what happened to a row, where `action` does not for all of them
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
