import type { Table } from '../../postgres/catalog.ts'
import { columnOf, own, quoteTable } from '../../postgres/identifiers.ts'
import type { EntryQuery } from './entry-insert.ts'
import type { EntryParameters } from './entry-parameters.ts'
import { scanOf } from './referential-actions.ts'
import type { RowReference } from './row-names.ts'
import type { TrackedTable } from './tracked-table.ts'

/*
 * A trigger or a generated column may change more of a row than a referential action sets, and a referential action may
 * change a row that the statement has just changed. Then only the row itself tells, once the statement is over. So the
 * statement keeps its rows in a setting that lives as long as the transaction, and a second statement reads them
 * again. The rows are kept as text, PostgreSQL's exact form; they don't leave the database, and no session state remains.
 */

/** What is kept of a row: its old state, and its expected new state, whose key finds it again. */
export function unreadRow(table: Table, before: RowReference, expected: RowReference): string {
  const text = (row: RowReference) =>
    `(ROW(${table.columns.map(row).join(', ')})::${quoteTable(table)})::text`
  return `pg_catalog.jsonb_build_object('before', ${text(before)}, 'expected', ${text(expected)})`
}

/** Keeps the rows in the column `unread` of a CTE. It is written like a source of entries, but adds none. */
export function keepUnread(source: string, node: number): EntryQuery {
  const unread = `${source}.${own('unread')}`
  const rows = `SELECT coalesce(pg_catalog.jsonb_agg(${unread}) FILTER (WHERE ${unread} IS NOT NULL), '[]')::text FROM ${source}`
  const kept = `(SELECT pg_catalog.set_config('${settingOf(node)}', (${rows}), true) AS value) AS ${own('kept')}`
  return {
    action: 'NULL',
    resourceType: 'NULL',
    resourceId: 'NULL',
    details: 'NULL::jsonb',
    from: `${kept} WHERE ${own('kept')}.value IS NULL`,
  }
}

/** For the statement that follows: the entries of the rows that were kept. */
export function readLater(
  tracked: TrackedTable,
  node: number,
  entry: EntryParameters,
  extra: Record<string, string> = {},
): EntryQuery {
  const { table } = tracked
  const row =
    (name: string): RowReference =>
    (column) =>
      columnOf(name, column)
  const [before, after, expected] = [row('b'), row('n'), row('x')]
  const key = table.primaryKey.map((column) => `${after(column)} = ${expected(column)}`)
  const rows = [
    `(SELECT ${tracked.id(before)} AS id, ${tracked.updated(before, after, table.columns, entry, extra)} AS details`,
    `FROM pg_catalog.jsonb_array_elements(pg_catalog.current_setting('${settingOf(node)}')::jsonb) AS r`,
    `CROSS JOIN LATERAL (SELECT ((r.value ->> 'before')::${quoteTable(table)}).*) AS b`,
    `CROSS JOIN LATERAL (SELECT ((r.value ->> 'expected')::${quoteTable(table)}).*) AS x`,
    `JOIN ${scanOf(table)} AS n ON ${key.join(' AND ')}) AS u`,
  ]
  return {
    action: tracked.action('update'),
    resourceType: tracked.resourceLiteral,
    resourceId: 'u.id',
    details: 'u.details',
    from: `${rows.join('\n')} WHERE u.details IS NOT NULL`,
  }
}

function settingOf(node: number): string {
  return `prisma_extension_audit.unread_${node}`
}
