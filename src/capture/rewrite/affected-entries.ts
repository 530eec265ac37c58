import type { Table } from '../../postgres/catalog.ts'
import { columnOf, own } from '../../postgres/identifiers.ts'
import { type EntryQuery, where } from './entry-insert.ts'
import type { EntryParameters } from './entry-parameters.ts'
import { linkEntries } from './link.ts'
import type { Note } from './raw-entry.ts'
import { unreadRow, withReadLater } from './read-later.ts'
import { affectedRows, childRow, isRemoval, type Reach } from './referential-actions.ts'
import { entryOfEachRow, type RowEntries, selectList } from './row-entries.ts'
import type { RowReference } from './row-names.ts'
import type { TrackedTable } from './tracked-table.ts'

export interface AffectedContext {
  readonly track: (table: Table) => TrackedTable
  /** What caused the actions, as an SQL literal. */
  readonly cause: string
  /** The CTE of the rows that the statement itself changes. */
  readonly changed: string
  readonly entry: EntryParameters
  /** Parameters for the statement that follows. */
  readonly later: EntryParameters
  readonly note: Note
}

/** The entries of all rows that referential actions reach: CTEs that read them, and queries over the CTEs. */
export function affectedEntries(reach: Reach, context: AffectedContext) {
  const { changed } = context
  const tables = reach.tables.flatMap((table, node) => {
    const tracked = context.track(table)
    const isReached = reach.edges.some((edge) => edge.key.child === table)
    if (!isReached || !tracked.isTracked) return []
    const { columns, queries, later = [] } = entriesOfTable(reach, node, tracked, context)
    return [{ cte: affectedRows(reach, node, changed, selectList(columns)), queries, later }]
  })
  return {
    ctes: tables.map(({ cte }) => cte),
    queries: tables.flatMap(({ queries }): readonly EntryQuery[] => queries),
    later: tables.flatMap(({ later }) => later),
  }
}

function entriesOfTable(
  reach: Reach,
  node: number,
  tracked: TrackedTable,
  { cause, entry, later, note }: AffectedContext,
): RowEntries {
  const { table, link } = tracked
  const before: RowReference = (column) => columnOf(childRow.before, column)
  const after: RowReference = (column) => columnOf(childRow.after, column)
  const from = own(`affected_${node}`)
  const extra = { cause: `${cause}::text` }
  // a row that a trigger keeps from being deleted keeps all that is below it
  const mayStay = reach.edges.some((edge) => isRemoval(edge) && edge.key.child.beforeDelete)
  if (mayStay && (link || table.primaryKey.length === 0))
    return {
      columns: { gone: 'a.gone' },
      queries: [where(`EXISTS (SELECT FROM ${from})`, note('trigger', entry))],
    }
  if (link) {
    const isMade = `NOT ${from}.${own('gone')}`
    const entries = linkEntries(link, tracked, { from, before, after, isMade, entry, ...extra })
    return { ...entries, columns: { gone: 'a.gone', ...entries.columns } }
  }
  const isComputed = table.beforeUpdate || table.columns.some((column) => column.generated)
  const isSet = reach.edges.some((edge) => edge.key.child === table && !isRemoval(edge))
  const isReadLater = mayStay || (isComputed && isSet && table.primaryKey.length > 0)
  const updated = isReadLater ? 'NULL::jsonb' : tracked.updated(before, after, table.columns, entry, extra)
  const deleted = mayStay ? 'NULL::jsonb' : tracked.deleted(before, entry, extra)
  const entries = entryOfEachRow(tracked, from, {
    action: `CASE WHEN a.gone THEN ${tracked.action('delete')} ELSE ${tracked.action('update')} END`,
    id: tracked.id(before),
    details: `CASE WHEN a.gone THEN ${deleted} ELSE ${updated} END`,
  })
  const guarded = { ...entries, columns: { ...entries.columns, guard: tracked.shapeGuard } }
  if (!isReadLater) return guarded
  const unread = mayStay
    ? unreadRow(table, before, after, 'a.gone')
    : `CASE WHEN NOT a.gone THEN ${unreadRow(table, before, after)} END`
  return withReadLater(guarded, tracked, { from, whose: node, unread }, { later, note }, extra)
}
