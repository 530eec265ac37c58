import type { Table } from '../../postgres/catalog.ts'
import { columnOf, own } from '../../postgres/identifiers.ts'
import { differs } from '../../values/sql-json.ts'
import type { WriteStatement } from '../parse/statement.ts'
import { conflictKey, stableKey } from '../parse/upsert.ts'
import type { BeforeState, RowNames } from './before-state.ts'
import { lockedRow } from './before-state.ts'
import type { EntryParameters, EntrySource } from './entry.ts'
import { linkEntries } from './links.ts'
import { keepUnread, readLater, unreadRow } from './read-later.ts'
import type { Recorder } from './recorder.ts'
import { affectedRows, childRow, isRemoval, keyPatch, type Reach } from './referential-actions.ts'
import type { RecordedUpdate, RowReference, TrackedTable } from './tracked-table.ts'

/** CTEs to add to a statement, and queries over them that give entries. */
export interface Entries {
  readonly ctes: readonly string[]
  readonly sources: readonly (EntrySource | string)[]
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
  reach: Reach | undefined,
  entry: EntryParameters,
): Record<string, string> {
  const { before, after } = rows
  if (state === 'locked earlier' && statement.kind === 'insert') return wholeRow(statement, tracked.table)
  if (!tracked.isTracked) return {}
  if (tracked.link) {
    return {
      ...(statement.kind === 'insert' ? {} : linkedIds(tracked, before, 'old')),
      ...(statement.kind === 'delete' ? {} : linkedIds(tracked, after, 'new')),
    }
  }
  if (statement.kind === 'delete') return { id: tracked.id(before), details: tracked.deleted(before, entry) }
  if (isChangedAgain(statement, tracked, reach)) return { unread: unreadRow(tracked.table, before, after) }
  if (statement.kind === 'update') {
    const changeable = tracked.changeable(statement.assigned)
    return { id: tracked.id(before), details: tracked.updated(before, after, changeable, entry) }
  }
  if (statement.conflict?.action !== 'update')
    return { id: tracked.id(after), details: tracked.created(after, entry) }
  return upserted(statement, tracked, { before, after }, `${rows.address('tableoid')} IS NULL`, entry)
}

/** The call that writes the entry of one row of the statement; undefined where no change is worth an entry. */
export function recordCall(
  statement: WriteStatement,
  tracked: TrackedTable,
  { before, after, address }: RowNames,
  recorder: Recorder,
  entry: EntryParameters,
): string | undefined {
  const call = (id: string, { before, after, changed }: Partial<RecordedUpdate>) => {
    const values = [tracked.resourceLiteral, id, before, after, changed, entry.reference('context')]
    return `${recorder.record}(${values.map((value) => value ?? 'NULL').join(', ')})`
  }
  if (statement.kind === 'delete') return call(tracked.id(before), { before: tracked.row(before, recorder) })
  if (statement.kind === 'insert' && statement.conflict?.action !== 'update')
    return call(tracked.id(after), { after: tracked.row(after, recorder) })
  const update = tracked.changes(before, after, tracked.changeable(statement.assigned), recorder)
  if (statement.kind === 'update' || !update) return update && call(tracked.id(before), update)
  const isNew = `${address('tableoid')} IS NULL`
  return call(`CASE WHEN ${isNew} THEN ${tracked.id(after)} ELSE ${tracked.id(before)} END`, {
    before: `CASE WHEN NOT (${isNew}) THEN ${update.before} END`,
    after: `CASE WHEN ${isNew} THEN ${tracked.row(after, recorder)} ELSE ${update.after} END`,
    changed: `CASE WHEN NOT (${isNew}) THEN ${update.changed} END`,
  })
}

/** The entries of the statement's own rows. */
export function ownEntries(
  statement: WriteStatement,
  tracked: TrackedTable,
  state: BeforeState,
  reach: Reach | undefined,
  entry: EntryParameters,
  later: EntryParameters,
): Entries {
  if (state === 'locked earlier' && statement.kind === 'insert') {
    const sources = tracked.isTracked ? [entryQuery(tracked, own('upserted'))] : []
    return { ...nothing, ctes: [upsertedRows(statement, tracked, reach, entry)], sources }
  }
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
  if (isChangedAgain(statement, tracked, reach)) {
    return { ...nothing, sources: [keepUnread(own('op'), 0)], laterSources: [readLater(tracked, 0, later)] }
  }
  const verb = statement.kind === 'insert' ? 'create' : statement.kind
  const action = statement.conflict?.action === 'update' ? undefined : tracked.action(verb)
  return { ...nothing, sources: [entryQuery(tracked, own('op'), action)] }
}

/** Where a row stood, and which of its referenced columns change: from there referential actions go on. */
export function addressColumns(
  reach: Reach | undefined,
  { kind }: WriteStatement,
  { before, after, address }: Pick<RowNames, 'before' | 'after' | 'address'>,
): Record<string, string> {
  if (!reach) return {}
  const patch = (): string =>
    keyPatch(reach, (column) => ({
      value: after(column),
      test: differs(column, before(column), after(column)),
    }))
  return {
    relation: address('tableoid'),
    row: address('ctid'),
    patch: kind === 'delete' ? 'NULL::jsonb' : patch(),
  }
}

interface AffectedContext {
  /** What set the actions off, as an SQL literal. */
  readonly cause: string
  /** The CTE of the rows that the statement itself changes. */
  readonly changed: string
  readonly entry: EntryParameters
  /** Parameters for the statement after, see {@link Entries.laterSources}. */
  readonly later: EntryParameters
}

/** The entries of the rows of one table that referential actions reach. */
export function affectedEntries(
  reach: Reach,
  node: number,
  tracked: TrackedTable,
  { cause, changed, entry, later }: AffectedContext,
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
      ctes: [affectedRows(reach, node, changed, selectList(ids))],
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
    guard: tracked.shapeGuard,
    ...(isReadLater && { unread: `CASE WHEN NOT a.gone THEN ${unreadRow(table, before, after)} END` }),
  }
  return {
    ctes: [affectedRows(reach, node, changed, selectList(columns))],
    sources: [entryQuery(tracked, source), ...(isReadLater ? [keepUnread(source, node)] : [])],
    laterSources: isReadLater ? [readLater(tracked, node, later, extra)] : [],
  }
}

/** Whether referential actions can change the rows of an update once more: a key of a tree that refers to itself. */
function isChangedAgain(
  statement: WriteStatement,
  { table }: TrackedTable,
  reach: Reach | undefined,
): boolean {
  const refersToItself =
    reach?.edges.some((edge) => edge.on === 'update' && edge.key.child === table) ?? false
  return statement.kind === 'update' && table.primaryKey.length > 0 && refersToItself
}

function entryQuery(
  tracked: TrackedTable,
  source: string,
  action = `${source}.${own('action')}`,
): EntrySource {
  const details = `${source}.${own('details')}`
  return {
    action,
    resourceType: tracked.resourceLiteral,
    resourceId: `${source}.${own('id')}`,
    details,
    from: `${source} WHERE ${details} IS NOT NULL`,
  }
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

function upsertedRows(
  statement: WriteStatement,
  tracked: TrackedTable,
  reach: Reach | undefined,
  entry: EntryParameters,
): string {
  const { table } = tracked
  const before = lockedRow(table)
  const after: RowReference = (column) => `${own('op')}.${own(`n${table.columns.indexOf(column)}`)}`
  const address = (name: string) => `${own('locked')}.${own(name)}`
  const isNew = `${address('tableoid')} IS NULL`
  const columns = {
    ...(tracked.isTracked ? upserted(statement, tracked, { before, after }, isNew, entry) : {}),
    ...addressColumns(reach, statement, { before, after, address }),
    // updated, and yet not locked: another transaction inserted it in between, and nobody saw what it was
    missed: `${isNew} AND ${own('op')}.${own('xmax')} <> '0'::pg_catalog.xid`,
  }
  // one row replaces one row; of several, a key that stays tells which
  const isSingle = conflictKey(statement, table)?.rows.length === 1
  const join = stableKey(statement, table).map((column) => `${before(column)} = ${after(column)}`)
  return [
    `${own('upserted')} AS (SELECT ${selectList(columns)}`,
    `FROM ${own('op')} LEFT JOIN ${own('locked')} ON ${isSingle ? 'true' : join.join(' AND ')})`,
  ].join('\n')
}
