import type { Table } from '../../postgres/catalog.ts'
import { own } from '../../postgres/identifiers.ts'
import type { Server } from '../../postgres/server.ts'
import { differs } from '../../values/sql-json.ts'
import type { UpdateStatement } from '../parse/statement.ts'
import {
  callingStatement,
  insertingStatement,
  lockedReach,
  type RewriteInput,
  type Rewritten,
  recorderOf,
} from './audited-statement.ts'
import { where } from './entry-insert.ts'
import { movedLinkEntries } from './link.ts'
import { lockedAddress, lockedCte, lockedRow } from './locked-rows.ts'
import { unreadRow, withReadLater } from './read-later.ts'
import { recordCall } from './recorder.ts'
import { isChangedAgain, type Reach } from './referential-actions.ts'
import { entryOfEachRow, noEntries, type RowEntries } from './row-entries.ts'
import { oldAndNewRow, type RowNames, singleRow } from './row-names.ts'
import { startFromChanged } from './start-rows.ts'
import { confineUpdate, lockedQuery, lockForUpdate, updateJoined } from './update-lock.ts'

/**
 * How an UPDATE gets the old state of its rows:
 * - `returning`: its RETURNING has it, since PostgreSQL 18.
 * - `locked`: a CTE reads and locks the rows, and the statement joins it.
 * - `locked earlier`: a statement before this one locks the rows, and a CTE reads them.
 */
type BeforeState = 'returning' | 'locked' | 'locked earlier'

function beforeStateOf(table: Table, { returnsOldRows }: Server): BeforeState {
  // with a BEFORE UPDATE trigger the server locks the row by itself, and RETURNING OLD can be stale (seen on 18.4)
  if (returnsOldRows && !table.beforeUpdate) return 'returning'
  return table.primaryKey.length > 0 ? 'locked' : 'locked earlier'
}

export function rewriteUpdate(statement: UpdateStatement, input: RewriteInput): Rewritten {
  const { tracked, reach, entry } = input
  const { table } = tracked
  const state = beforeStateOf(table, input.catalog.server)
  const rows = state === 'returning' ? oldAndNewRow(statement) : joinedRow(statement, input)
  // the statement's snapshot must come after the lock when it looks for children, or when no CTE can lock
  const lockedFor = lockedReach(input)
  const isLockedFirst = lockedFor !== undefined || state === 'locked earlier'
  // a choice that is not plain is made once, for all rows
  const changing = state === 'locked earlier' || statement.choice !== 'plain' ? undefined : lockedFor
  const confined = isLockedFirst
    ? confineUpdate(statement, table, changing, entry.reference('lockedRows'))
    : statement
  const lock = isLockedFirst ? lockForUpdate(statement, table, changing, input) : undefined
  const call = state === 'returning' ? updateCall(statement, rows, input) : undefined
  if (call !== undefined) return { ...callingStatement(confined, input, rows, call), lock }
  return insertingStatement(confined, input, {
    body: state === 'returning' ? confined.body : updateJoined(confined, table),
    rows,
    entries: withRekeyed(updatedEntries(statement, rows, input), statement, rows, input),
    start: startFromChanged(reach, tracked, rows),
    lock,
    ...(state !== 'returning' && {
      locked: lockedCte(lockedQuery(confined, table, state)),
      with: statement.with,
    }),
  })
}

/** Whether the audited statement joins a CTE that has the old rows. */
export function joinsOldRows(table: Table, server: Server): boolean {
  return beforeStateOf(table, server) !== 'returning'
}

/** Whether the audited statement would have to choose its rows a second time, and might choose others. */
export function updateChoosesAgain(
  { from, choice, readsMore }: UpdateStatement,
  table: Table,
  reach: Reach | undefined,
  server: Server,
): boolean {
  const state = beforeStateOf(table, server)
  if (reach !== undefined || state === 'locked earlier') return readsMore && choice !== 'plain'
  return state === 'locked' && from !== undefined && choice === 'once'
}

/** The old row from the CTE `locked`, the new one from RETURNING. */
function joinedRow(statement: UpdateStatement, { tracked }: RewriteInput): RowNames {
  const { after, with: given } = singleRow(statement)
  return { before: lockedRow(tracked.table), after, address: lockedAddress, with: given }
}

/** The call that records a row; undefined when no change of it is worth an entry. */
function updateCall(
  { assigned }: UpdateStatement,
  { before, after }: RowNames,
  input: RewriteInput,
): string | undefined {
  const { tracked, entry } = input
  const recorder = recorderOf(input)
  if (!recorder) return undefined
  const update = tracked.changes(before, after, tracked.changeable(assigned), recorder.iso)
  return update && recordCall(recorder, tracked, tracked.id(before), update, entry)
}

/** A trigger may change a key that the statement does not assign: where other rows follow, one entry says so. */
function withRekeyed(
  entries: RowEntries,
  { assigned }: UpdateStatement,
  { before, after }: RowNames,
  { tracked: { table }, track, entry, note }: RewriteInput,
): RowEntries {
  if (!table.beforeUpdate) return entries
  const followed = table.referencedBy
    .filter(({ onUpdate, child }) => onUpdate !== 'none' && track(child).isTracked)
    .flatMap(({ pairs }) => pairs.map(({ parent }) => parent))
    .filter(({ name }) => !assigned.includes(name))
  if (followed.length === 0) return entries
  const changes = [...new Set(followed)].map((column) => differs(column, before(column), after(column)))
  const isRekeyed = `EXISTS (SELECT FROM ${own('op')} WHERE ${own('op')}.${own('rekeyed')})`
  return {
    ...entries,
    columns: { ...entries.columns, rekeyed: changes.join(' OR ') },
    queries: [...entries.queries, where(isRekeyed, note('trigger', entry))],
  }
}

function updatedEntries(
  { assigned }: UpdateStatement,
  { before, after }: RowNames,
  input: RewriteInput,
): RowEntries {
  const { tracked, reach, entry } = input
  const { table, link } = tracked
  const from = own('op')
  if (!tracked.isTracked) return noEntries
  if (link) return movedLinkEntries(link, tracked, { from, before, after, entry })
  if (isChangedAgain(table, reach)) {
    const unread = unreadRow(table, before, after)
    return withReadLater(noEntries, tracked, { from, whose: 'start', unread }, input)
  }
  const details = tracked.updated(before, after, tracked.changeable(assigned), entry)
  return entryOfEachRow(tracked, from, { id: tracked.id(before), details }, tracked.action('update'))
}
