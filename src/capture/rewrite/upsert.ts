import { columnOf, own } from '../../postgres/identifiers.ts'
import { conflictCondition, conflictKey, stableKey } from '../parse/conflict.ts'
import { tableOf, type UpsertStatement } from '../parse/statement.ts'
import {
  callingStatement,
  insertingStatement,
  type RewriteInput,
  type Rewritten,
  recorderOf,
} from './audited-statement.ts'
import { movedLinkEntries } from './link.ts'
import { expectedPatch, isLocked, type Lock, lockRows, updateStrength } from './lock.ts'
import { lockOf } from './lock-reached.ts'
import { lockedAddress, lockedColumns, lockedCte, lockedRow } from './locked-rows.ts'
import { unreadRow, withReadLater } from './read-later.ts'
import { recordCall } from './recorder.ts'
import { isChangedAgain } from './referential-actions.ts'
import { entryOfEachRow, noEntries, type RowEntries, selectList } from './row-entries.ts'
import { oldAndNewRow, type RowAddress, type RowNames, type RowReference, singleRow } from './row-names.ts'
import { startFromChanged } from './start-rows.ts'

/**
 * `INSERT … ON CONFLICT DO UPDATE`: each row was created or updated. Since PostgreSQL 18, RETURNING says which, and has
 * the old row. Before, an earlier statement locks the rows in conflict, and a CTE reads them along with the upsert.
 */
export function rewriteUpsert(statement: UpsertStatement, input: RewriteInput): Rewritten {
  return input.catalog.server.returnsOldRows
    ? upsertReturningBoth(statement, input)
    : upsertBesideLocked(statement, input)
}

type Upserted = Omit<RowNames, 'with'>

function upsertReturningBoth(statement: UpsertStatement, input: RewriteInput): Rewritten {
  const { tracked, reach, entry } = input
  const rows = oldAndNewRow(statement)
  const call = upsertCall(statement, rows, input)
  if (call !== undefined) return callingStatement(statement, input, rows, call)
  const parts = {
    body: statement.body,
    rows,
    entries: upsertedEntries(statement, rows, own('op'), input),
    start: startFromChanged(reach, tracked, rows),
  }
  if (!reach) return insertingStatement(statement, input, parts)
  const locked = isLocked(tracked.table, rows.address, entry.reference('lockedRows'))
  return insertingStatement(statement, input, {
    ...parts,
    // another transaction inserted the row after the lock, and rows below it that the statement's snapshot lacks
    returned: { missed: `NOT (${isNew(rows.address)} OR ${locked})` },
    lock: lockForUpsert(statement, input),
    countsMissed: true,
  })
}

function upsertBesideLocked(statement: UpsertStatement, input: RewriteInput): Rewritten {
  const { tracked, reach, entry } = input
  const { table } = tracked
  const from = own('upserted')
  const [before, address] = [lockedRow(table), lockedAddress]
  const after: RowReference = (column) => `${own('op')}.${own(`n${table.columns.indexOf(column)}`)}`
  const entries = upsertedEntries(statement, { before, after, address }, from, input)
  const start = startFromChanged(reach, tracked, { before, after, address })
  const columns = {
    ...entries.columns,
    ...start?.columns,
    // updated but not locked: another transaction inserted it in between, so its old state is unknown
    missed: `${isNew(address)} AND ${own('op')}.${own('xmax')} <> '0'::pg_catalog.xid`,
  }
  // one row replaces one row; several are matched by a key that does not change
  const { conflict, assigned, reference } = statement
  const isSingle = conflictKey(conflict, table)?.rows.length === 1
  const join = stableKey(conflict, assigned, table).map((column) => `${before(column)} = ${after(column)}`)
  const cte = [
    `${from} AS (SELECT ${selectList(columns)}`,
    `FROM ${own('op')} LEFT JOIN ${own('locked')} ON ${isSingle ? 'true' : join.join(' AND ')})`,
  ]
  // another row may have been inserted since the lock; reading it would not keep others from changing it
  const conflicting = selectConflicting(statement, input, lockedColumns(table, reference))
  const addresses = `${entry.reference('lockedRows')}::pg_catalog.tid[]`
  return insertingStatement(statement, input, {
    body: statement.body,
    rows: singleRow(statement),
    // the whole new row is returned, to join it with the old one
    returned: {
      ...Object.fromEntries(table.columns.map((column, index) => [`n${index}`, columnOf(reference, column)])),
      xmax: `${reference}.xmax`,
    },
    entries,
    start,
    lock: lockForUpsert(statement, input),
    locked: lockedCte(`${conflicting} AND ${reference}.ctid = ANY (${addresses})`),
    changed: { name: from, cte: cte.join('\n') },
    countsMissed: true,
  })
}

function upsertCall(
  { assigned }: UpsertStatement,
  { before, after, address }: RowNames,
  input: RewriteInput,
): string | undefined {
  const { tracked, entry } = input
  const recorder = recorderOf(input)
  const update = recorder && tracked.changes(before, after, tracked.changeable(assigned), recorder.iso)
  if (!update) return undefined
  const created = isNew(address)
  const parts = {
    before: `CASE WHEN NOT (${created}) THEN ${update.before} END`,
    after: `CASE WHEN ${created} THEN ${tracked.row(after, recorder.iso)} ELSE ${update.after} END`,
    changed: `CASE WHEN NOT (${created}) THEN ${update.changed} END`,
  }
  return recordCall(recorder, tracked, upsertedId({ before, after, address }, input), parts, entry)
}

/** @param from the CTE that has the columns */
function upsertedEntries(
  { assigned }: UpsertStatement,
  rows: Upserted,
  from: string,
  input: RewriteInput,
): RowEntries {
  const { tracked, reach, entry } = input
  const { table } = tracked
  const { before, after, address } = rows
  if (!tracked.isTracked) return noEntries
  if (tracked.link) {
    const isCut = `${from}.${own('cut')}`
    const entries = movedLinkEntries(tracked.link, tracked, { from, before, after, isCut, entry })
    const cut = `NOT (${isNew(address)}) AND (${entries.columns.moved})`
    return { ...entries, columns: { ...entries.columns, cut } }
  }
  const created = isNew(address)
  const isLater = isChangedAgain(table, reach)
  const updated = isLater ? 'NULL' : tracked.updated(before, after, tracked.changeable(assigned), entry)
  const entries = entryOfEachRow(tracked, from, {
    action: `CASE WHEN ${created} THEN ${tracked.action('create')} ELSE ${tracked.action('update')} END`,
    id: upsertedId(rows, input),
    details: `CASE WHEN ${created} THEN ${tracked.created(after, entry)} ELSE ${updated} END`,
  })
  if (!isLater) return entries
  const unread = `CASE WHEN NOT (${created}) THEN ${unreadRow(table, before, after)} END`
  return withReadLater(entries, tracked, { from, whose: 'start', unread }, input)
}

function upsertedId({ before, after, address }: Upserted, { tracked }: RewriteInput): string {
  return `CASE WHEN ${isNew(address)} THEN ${tracked.id(after)} ELSE ${tracked.id(before)} END`
}

/** There was no row before. */
function isNew(address: RowAddress): string {
  return `${address('tableoid')} IS NULL`
}

/** Locks the rows in conflict, and those that referential actions reach from them. */
function lockForUpsert(statement: UpsertStatement, input: RewriteInput): Lock {
  const { tracked, reach } = input
  const { reference, assigned } = statement
  const target = {
    table: tracked.table,
    target: tableOf(statement),
    reference,
    select: (columns: string) => selectConflicting(statement, input, columns),
    strength: updateStrength(tracked.table, assigned),
  }
  const rows = lockRows(target)
  if (!reach) return { rows, isDeep: false }
  return lockOf(
    rows,
    { ...target, patch: expectedPatch(reach, assigned), addresses: input.lockedRows },
    input,
  )
}

function selectConflicting(statement: UpsertStatement, { tracked }: RewriteInput, columns: string): string {
  const key = conflictKey(statement.conflict, tracked.table)
  const condition = key ? conflictCondition(key, statement.reference) : 'false'
  return `SELECT ${columns} FROM ${tableOf(statement)} WHERE (${condition})`
}
