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
import { linkEntries } from './link.ts'
import { isLocked, type Lock, lockRows } from './lock.ts'
import { lockOf } from './lock-reached.ts'
import { recordCall } from './recorder.ts'
import { entryOfEachRow, noEntries, type RowEntries } from './row-entries.ts'
import { type RowReference, singleRow } from './row-names.ts'
import { removed, startFromRemoved } from './start-rows.ts'

/**
 * A DELETE: its RETURNING has the rows as they were. If referential actions follow, its rows are locked first, and it
 * deletes only those.
 */
export function rewriteDelete(statement: DeleteStatement, input: RewriteInput): Rewritten {
  const { tracked, reach, entry } = input
  const rows = singleRow(statement)
  const { before, address } = rows
  const isLockedFirst = lockedReach(input) !== undefined && !input.isLockless
  // a row that matches only since the lock has children that nobody locked; at the time of the lock, the statement
  // would not have seen it either
  const confined = isLockedFirst
    ? ofChosenRows(statement, isLocked(tracked.table, address, entry.reference('lockedRows')))
    : statement
  const lock = isLockedFirst ? lockForDelete(statement, input) : undefined
  const recorder = recorderOf(input)
  if (recorder) {
    const deleted = { before: tracked.row(before, recorder.iso) }
    const call = recordCall(recorder, tracked, tracked.id(before), deleted, entry)
    return { ...callingStatement(confined, input, rows, call), lock }
  }
  return insertingStatement(confined, input, {
    body: confined.body,
    rows,
    entries: deletedEntries(before, input),
    start: startFromRemoved(reach, tracked, address),
    lock,
  })
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
