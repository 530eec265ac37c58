import type { Column, Table } from '../../postgres/catalog.ts'
import { columnOf, own, quoteTable } from '../../postgres/identifiers.ts'
import { type EntryQuery, where } from './entry-insert.ts'
import type { EntryParameters } from './entry-parameters.ts'
import type { Note } from './raw-entry.ts'
import { scanOf } from './referential-actions.ts'
import type { RowEntries } from './row-entries.ts'
import type { RowReference } from './row-names.ts'
import type { TrackedTable } from './tracked-table.ts'

/*
 * A trigger or a generated column may change more of a row than a referential action sets, and a referential action may
 * change a row that the statement has just changed. Then only the row itself tells, once the statement is over. So the
 * statement keeps its rows in a setting that lives as long as the transaction, and a second statement reads them
 * again. The rows are kept as text, PostgreSQL's exact form; they don't leave the database, and no session state remains.
 */

/** Which rows are kept: the statement's own, or those that actions reach in one table, by its index. */
type KeptRows = 'start' | number

/**
 * What is kept of a row: its old state, and its expected new state, whose key finds it again.
 *
 * @param gone whether the row is expected to be deleted, in SQL
 */
export function unreadRow(
  table: Table,
  before: RowReference,
  expected: RowReference,
  gone = 'false',
): string {
  const text = (row: RowReference) =>
    `(ROW(${table.columns.map(row).join(', ')})::${quoteTable(table)})::text`
  return `pg_catalog.jsonb_build_object('before', ${text(before)}, 'expected', ${text(expected)}, 'gone', ${gone})`
}

/**
 * Entries, and those of rows that are read once the statement is over.
 *
 * @param from the CTE of the rows
 * @param unread what is kept of each, see {@link unreadRow}; NULL for none
 */
export function withReadLater(
  entries: RowEntries,
  tracked: TrackedTable,
  rows: { readonly from: string; readonly whose: KeptRows; readonly unread: string },
  { later, note }: { readonly later: EntryParameters; readonly note: Note },
  extra?: Record<string, string>,
): RowEntries {
  return {
    columns: { ...entries.columns, unread: rows.unread },
    queries: [...entries.queries, keepUnread(rows.from, rows.whose)],
    later: readLater(tracked, rows.whose, later, note, extra),
  }
}

/** Keeps the rows in the column `unread` of a CTE. It is written like a source of entries, but adds none. */
export function keepUnread(source: string, whose: KeptRows): EntryQuery {
  const unread = `${source}.${own('unread')}`
  const rows = `SELECT coalesce(pg_catalog.jsonb_agg(${unread}) FILTER (WHERE ${unread} IS NOT NULL), '[]')::text FROM ${source}`
  const kept = `(SELECT pg_catalog.set_config('${settingOf(whose)}', (${rows}), true) AS value) AS ${own('kept')}`
  return {
    action: 'NULL',
    resourceType: 'NULL',
    resourceId: 'NULL',
    details: 'NULL::jsonb',
    from: `${kept} WHERE ${own('kept')}.value IS NULL`,
  }
}

/**
 * For the statement that follows: the entries of the rows that were kept. A row that is not there is deleted, if that
 * was to be expected. Otherwise a trigger has changed its key, and one entry says that it was not found.
 */
export function readLater(
  tracked: TrackedTable,
  whose: KeptRows,
  entry: EntryParameters,
  note: Note,
  extra: Record<string, string> = {},
): EntryQuery[] {
  const { table } = tracked
  const row =
    (name: string): RowReference =>
    (column) =>
      columnOf(name, column)
  const [before, after, expected] = [row('b'), row('n'), row('x')]
  const key = table.primaryKey.map((column) => `${after(column)} = ${expected(column)}`)
  const isThere = `(${after(table.primaryKey[0] as Column)} IS NOT NULL)`
  const isGone = `(r.value -> 'gone')::bool`
  const updated = tracked.updated(before, after, table.columns, entry, extra)
  const details = `CASE WHEN ${isThere} THEN ${updated} WHEN ${isGone} THEN ${tracked.deleted(before, entry, extra)} END`
  const kept = [
    `FROM pg_catalog.jsonb_array_elements(pg_catalog.current_setting('${settingOf(whose)}')::jsonb) AS r`,
    `CROSS JOIN LATERAL (SELECT ((r.value ->> 'before')::${quoteTable(table)}).*) AS b`,
    `CROSS JOIN LATERAL (SELECT ((r.value ->> 'expected')::${quoteTable(table)}).*) AS x`,
    `LEFT JOIN ${scanOf(table)} AS n ON ${key.join(' AND ')}`,
  ].join('\n')
  const verb = `CASE WHEN ${isThere} THEN ${tracked.action('update')} ELSE ${tracked.action('delete')} END`
  const rows = `(SELECT ${verb} AS action, ${tracked.id(before)} AS id, ${details} AS details\n${kept}) AS u`
  return [
    {
      action: 'u.action',
      resourceType: tracked.resourceLiteral,
      resourceId: 'u.id',
      details: 'u.details',
      from: `${rows} WHERE u.details IS NOT NULL`,
    },
    where(`EXISTS (SELECT ${kept} WHERE NOT ${isThere} AND NOT ${isGone})`, note('trigger', entry)),
  ]
}

function settingOf(whose: KeptRows): string {
  return `prisma_extension_audit.unread_${whose}`
}
