import { quoteTable } from '../sql.ts'
import type { BeforeState, RowNames } from './before-state.ts'
import { lockedRow } from './before-state.ts'
import type { Table } from './catalog.ts'
import { type EntryParameters, own } from './entry.ts'
import { columnOf } from './json-values.ts'
import { linkEntries } from './links.ts'
import { affectedRows, childRow, isRemoval, type Reach, scanOf } from './referential-actions.ts'
import type { WriteStatement } from './statement.ts'
import type { RowReference, TrackedTable } from './tracked-table.ts'
import { stableKey } from './upsert.ts'

/** CTEs to add to a statement, and queries over them that give entries. */
export interface Entries {
  readonly ctes: readonly string[]
  readonly sources: readonly string[]
  /** Queries for a statement after this one: entries of rows that only the database can tell how they came out. */
  readonly laterSources: readonly string[]
}

const nothing: Entries = { ctes: [], sources: [], laterSources: [] }

/** What RETURNING gives for the entries of the statement's own rows: name → expression. */
export function returnedColumns(
  statement: WriteStatement,
  tracked: TrackedTable,
  rows: RowNames,
  state: BeforeState,
  entry: EntryParameters,
): Record<string, string> {
  if (!tracked.isTracked) return {}
  const { before, after } = rows
  if (state === 'locked earlier' && statement.kind === 'insert') return wholeRow(statement, tracked.table)
  if (tracked.link) {
    return {
      ...(statement.kind === 'insert' ? {} : linkedIds(tracked, before, 'old')),
      ...(statement.kind === 'delete' ? {} : linkedIds(tracked, after, 'new')),
    }
  }
  if (statement.kind === 'delete') return { id: tracked.id(before), details: tracked.deleted(before, entry) }
  if (statement.kind === 'update') {
    const changeable = tracked.changeable(statement.assigned)
    return { id: tracked.id(before), details: tracked.updated(before, after, changeable, entry) }
  }
  if (statement.conflict?.action !== 'update')
    return { id: tracked.id(after), details: tracked.created(after, entry) }
  return upserted(statement, tracked, { before, after }, `${rows.address('tableoid')} IS NULL`, entry)
}

/** The entries of the statement's own rows. */
export function ownEntries(
  statement: WriteStatement,
  tracked: TrackedTable,
  state: BeforeState,
  entry: EntryParameters,
): Entries {
  if (!tracked.isTracked) return nothing
  if (tracked.link) {
    const links = linksFrom(tracked, own('op'), entry)
    return {
      ...nothing,
      sources: [
        ...(statement.kind === 'insert' ? [] : links('disconnect', 'old')),
        ...(statement.kind === 'delete' ? [] : links('connect', 'new')),
      ],
    }
  }
  if (state === 'locked earlier' && statement.kind === 'insert') {
    return {
      ...nothing,
      ctes: [upsertedRows(statement, tracked, entry)],
      sources: [entryQuery(tracked, own('upserted'))],
    }
  }
  const verb = statement.kind === 'insert' ? 'create' : statement.kind
  const action = statement.conflict?.action === 'update' ? undefined : tracked.action(verb)
  return { ...nothing, sources: [entryQuery(tracked, own('op'), action)] }
}

/**
 * The entries of the rows of one table that referential actions reach, with what set them off.
 *
 * @param later parameters for the statement after, see {@link Entries.laterSources}
 */
export function affectedEntries(
  reach: Reach,
  node: number,
  tracked: TrackedTable,
  cause: string,
  entry: EntryParameters,
  later: EntryParameters,
): Entries {
  const { table } = tracked
  const incoming = reach.edges.filter((edge) => edge.key.child === table)
  if (incoming.length === 0 || !tracked.isTracked) return nothing
  const before: RowReference = (column) => columnOf(childRow.before, column)
  const after: RowReference = (column) => columnOf(childRow.after, column)
  const source = own(`affected_${node}`)
  if (tracked.link) {
    const ids = { gone: 'a.gone', ...linkedIds(tracked, before, 'old'), ...linkedIds(tracked, after, 'new') }
    const links = linksFrom(tracked, source, entry, `${cause}::text`)
    return {
      ...nothing,
      ctes: [affectedRows(reach, node, selectList(ids))],
      sources: [...links('disconnect', 'old'), ...links('connect', 'new', `NOT ${source}.${own('gone')}`)],
    }
  }
  const extra = { cause: `${cause}::text` }
  const isComputed = table.beforeUpdate || table.columns.some((column) => column.generated)
  const isReadLater = isComputed && table.primaryKey.length > 0 && incoming.some((edge) => !isRemoval(edge))
  const updated = isReadLater ? 'NULL::jsonb' : tracked.updated(before, after, table.columns, entry, extra)
  const columns = {
    action: `CASE WHEN a.gone THEN ${tracked.action('delete')} ELSE ${tracked.action('update')} END`,
    id: tracked.id(before),
    details: `CASE WHEN a.gone THEN ${tracked.deleted(before, entry, extra)} ELSE ${updated} END`,
    guard: tracked.shapeGuard(before),
    ...(isReadLater ? { unread: `CASE WHEN NOT a.gone THEN ${rowTexts(childRow)} END` } : {}),
  }
  return {
    ctes: [affectedRows(reach, node, selectList(columns))],
    sources: [entryQuery(tracked, source), ...(isReadLater ? [keepUnread(node)] : [])],
    laterSources: isReadLater ? [readLater(node, tracked, later, extra)] : [],
  }
}

/**
 * A trigger or a generated column may change more of a row than a referential action sets, and only the row itself
 * tells, once the statement is over. The statement keeps its rows (as text, PostgreSQL's exact form) in a setting
 * that lives as long as the transaction, so they don't leave the database and no session state remains.
 */
function keepUnread(node: number): string {
  const unread = own('unread')
  const rows = `(SELECT coalesce(pg_catalog.jsonb_agg(${unread}) FILTER (WHERE ${unread} IS NOT NULL), '[]')::text FROM ${own(`affected_${node}`)})`
  const kept = `(SELECT pg_catalog.set_config('${unreadSetting(node)}', ${rows}, true) AS value) AS ${own('kept')}`
  // part of the INSERT, so that it is always evaluated, and gives no entry
  return `SELECT NULL, NULL, NULL, NULL::jsonb FROM ${kept} WHERE ${own('kept')}.value IS NULL`
}

function unreadSetting(node: number): string {
  return `prisma_extension_audit.unread_${node}`
}

function rowTexts({ before, after }: typeof childRow): string {
  return `pg_catalog.jsonb_build_object('before', ${before}::text, 'expected', ${after}::text)`
}

function readLater(
  node: number,
  tracked: TrackedTable,
  entry: EntryParameters,
  extra: Record<string, string>,
): string {
  const { table } = tracked
  const type = quoteTable(table)
  const row =
    (name: string): RowReference =>
    (column) =>
      columnOf(name, column)
  const [before, after] = [row('b'), row('n')]
  const key = table.primaryKey.map((column) => `${after(column)} = ${columnOf('x', column)}`)
  return [
    `SELECT e.action, e.resource, e.id, e.details FROM (SELECT`,
    `${tracked.action('update')} AS action, ${tracked.resourceLiteral} AS resource, ${tracked.id(before)} AS id,`,
    `${tracked.updated(before, after, table.columns, entry, extra)} AS details`,
    `FROM pg_catalog.jsonb_array_elements(pg_catalog.current_setting('${unreadSetting(node)}')::jsonb) AS r`,
    `CROSS JOIN LATERAL (SELECT ((r.value ->> 'before')::${type}).*) AS b`,
    `CROSS JOIN LATERAL (SELECT ((r.value ->> 'expected')::${type}).*) AS x`,
    `JOIN ${scanOf(table)} AS n ON ${key.join(' AND ')}) AS e WHERE e.details IS NOT NULL`,
  ].join('\n')
}

function entryQuery(tracked: TrackedTable, source: string, action = `${source}.${own('action')}`): string {
  const [id, details] = [`${source}.${own('id')}`, `${source}.${own('details')}`]
  return `SELECT ${action}, ${tracked.resourceLiteral}, ${id}, ${details} FROM ${source} WHERE ${details} IS NOT NULL`
}

function selectList(columns: Record<string, string>): string {
  return Object.entries(columns)
    .map(([name, expression]) => `${expression} AS ${own(name)}`)
    .join(', ')
}

function linkedIds(tracked: TrackedTable, row: RowReference, prefix: string): Record<string, string> {
  return { [`${prefix}_a`]: tracked.linkedId('A', row), [`${prefix}_b`]: tracked.linkedId('B', row) }
}

function linksFrom(tracked: TrackedTable, from: string, entry: EntryParameters, cause?: string) {
  return (verb: 'connect' | 'disconnect', prefix: string, where?: string): string[] => {
    const { link } = tracked
    const ids = { A: `${from}.${own(`${prefix}_a`)}`, B: `${from}.${own(`${prefix}_b`)}` }
    const isTracked = tracked.isSideTracked.bind(tracked)
    return link
      ? [
          linkEntries({
            link,
            isTracked,
            entry,
            from,
            verb,
            ids,
            ...(cause && { cause }),
            ...(where && { where }),
          }),
        ]
      : []
  }
}

function upserted(
  statement: WriteStatement,
  tracked: TrackedTable,
  { before, after }: Pick<RowNames, 'before' | 'after'>,
  isNew: string,
  entry: EntryParameters,
): Record<string, string> {
  const updated = tracked.updated(before, after, tracked.changeable(statement.assigned), entry)
  return {
    action: `CASE WHEN ${isNew} THEN ${tracked.action('create')} ELSE ${tracked.action('update')} END`,
    id: `CASE WHEN ${isNew} THEN ${tracked.id(after)} ELSE ${tracked.id(before)} END`,
    details: `CASE WHEN ${isNew} THEN ${tracked.created(after, entry)} ELSE ${updated} END`,
  }
}

/** Before PostgreSQL 18 the new row is returned whole, to be joined to the old one. */
function wholeRow({ reference }: WriteStatement, table: Table): Record<string, string> {
  const columns = table.columns.map((column, index) => [`n${index}`, columnOf(reference, column)])
  return { ...Object.fromEntries(columns), xmax: `${reference}.xmax` }
}

function upsertedRows(statement: WriteStatement, tracked: TrackedTable, entry: EntryParameters): string {
  const { table } = tracked
  const before = lockedRow(table)
  const after: RowReference = (column) => `${own('op')}.${own(`n${table.columns.indexOf(column)}`)}`
  const isNew = `${own('locked')}.${own('tableoid')} IS NULL`
  const columns = {
    ...upserted(statement, tracked, { before, after }, isNew, entry),
    // updated, and yet not locked: another transaction inserted it in between, and nobody saw what it was
    missed: `${isNew} AND ${own('op')}.${own('xmax')} <> '0'::pg_catalog.xid`,
  }
  const join = stableKey(statement, table).map((column) => `${before(column)} = ${after(column)}`)
  return [
    `${own('upserted')} AS (SELECT ${selectList(columns)}`,
    `FROM ${own('op')} LEFT JOIN ${own('locked')} ON ${join.join(' AND ')})`,
  ].join('\n')
}
