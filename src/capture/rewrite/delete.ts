import { own } from '../../postgres/identifiers.ts'
import { type DeleteStatement, ofChosenRows, selectMatching } from '../parse/statement.ts'
import {
  callingStatement,
  insertingStatement,
  lockedReach,
  type RewriteInput,
  type Rewritten,
  recorderOf,
} from './audited-statement.ts'
import { where } from './entry-insert.ts'
import { linkEntries } from './link.ts'
import { isLocked, type Lock, lockRows } from './lock.ts'
import { lockOf } from './lock-reached.ts'
import { recordCall } from './recorder.ts'
import { entryOfEachRow, noEntries, type RowEntries } from './row-entries.ts'
import { type RowReference, singleRow } from './row-names.ts'
import { removed, startFromRemoved } from './start-rows.ts'
import { addressColumns, stayedCte, withStayed } from './stayed-rows.ts'

/**
 * A DELETE: its RETURNING has the rows as they were. If referential actions follow, or a trigger may keep rows, its rows
 * are locked first, and it deletes only those.
 */
export function rewriteDelete(statement: DeleteStatement, input: RewriteInput): Rewritten {
  const { tracked, reach, entry } = input
  const rows = singleRow(statement)
  const { before, address } = rows
  const mayStay = tracked.isTracked && tracked.table.beforeDelete
  const isLockedFirst = (lockedReach(input) !== undefined || mayStay) && !input.isLockless
  // a row that matches only since the lock has children that nobody locked; at the time of the lock, the statement
  // would not have seen it either
  const confined = isLockedFirst
    ? ofChosenRows(statement, isLocked(tracked.table, address, entry.reference('lockedRows')))
    : statement
  const lock = isLockedFirst ? lockForDelete(statement, input) : undefined
  const recorder = mayStay ? undefined : recorderOf(input)
  if (recorder) {
    const deleted = { before: tracked.row(before, recorder.iso) }
    const call = recordCall(recorder, tracked, tracked.id(before), deleted, entry)
    return { ...callingStatement(confined, input, rows, call), lock }
  }
  const entries = deletedEntries(before, input)
  const start = startFromRemoved(reach, tracked, address)
  const parts = { body: confined.body, rows, start, lock }
  if (!mayStay) return insertingStatement(confined, input, { ...parts, entries })
  if (!isLockedFirst)
    return insertingStatement(confined, input, { ...parts, entries: withDoubt(entries, input) })
  return insertingStatement(confined, input, {
    ...parts,
    returned: addressColumns(rows),
    entries: withStayed(entries, input),
    stayed: stayedCte(statement, rows, input),
  })
}

/** Where no lock tells which rows the statement was about to delete: a trigger may have kept others, and changed them. */
function withDoubt(entries: RowEntries, { reach, note, entry }: RewriteInput): RowEntries {
  const doubt = note('row-security', entry)
  // where rows follow, there is such an entry as soon as one row is deleted
  const query = reach ? where(`NOT EXISTS (SELECT FROM ${own('start')})`, doubt) : doubt
  return { ...entries, queries: [...entries.queries, query] }
}

function lockForDelete(statement: DeleteStatement, input: RewriteInput): Lock {
  const { target, reference } = statement
  const own = { table: input.tracked.table, target, reference }
  const rows = lockRows({
    ...own,
    select: (columns) => selectMatching(statement, columns),
    strength: 'FOR UPDATE',
  })
  return lockOf(rows, { ...own, patch: removed, addresses: input.lockedRows }, input)
}

function deletedEntries(before: RowReference, { tracked, entry }: RewriteInput): RowEntries {
  const from = own('op')
  if (!tracked.isTracked) return noEntries
  if (tracked.link) return linkEntries(tracked.link, tracked, { from, before, entry })
  const columns = { id: tracked.id(before), details: tracked.deleted(before, entry) }
  return entryOfEachRow(tracked, from, columns, tracked.action('delete'))
}
