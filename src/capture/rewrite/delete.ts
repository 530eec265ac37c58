import { own } from '../../postgres/identifiers.ts'
import { type DeleteStatement, ofChosenRows, selectMatching } from '../parse/statement.ts'
import {
  callingStatement,
  insertingStatement,
  type RewriteInput,
  type Rewritten,
  recorderOf,
} from './audited-statement.ts'
import { linkEntries } from './link.ts'
import { isLocked, lockReachedRows, lockRows, type Target } from './lock.ts'
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
  const { table } = tracked
  const rows = singleRow(statement)
  const { before, address } = rows
  const recorder = recorderOf(input)
  if (recorder) {
    const deleted = { before: tracked.row(before, recorder.iso) }
    return callingStatement(
      statement,
      input,
      rows,
      recordCall(recorder, tracked, tracked.id(before), deleted, entry),
    )
  }
  if (!reach) {
    const entries = deletedEntries(before, input)
    return insertingStatement(statement, input, { body: statement.body, rows, entries })
  }
  const target: Target = {
    table,
    target: statement.target,
    reference: statement.reference,
    select: (columns) => selectMatching(statement, columns),
    strength: 'FOR UPDATE',
  }
  const start = startFromRemoved(reach, tracked, address)
  if (input.isLockless) {
    const entries = deletedEntries(before, input)
    return insertingStatement(statement, input, { body: statement.body, rows, entries, start })
  }
  // a row that matches only since the lock has children that nobody locked; at the time of the lock, the statement
  // would not have seen it either
  const confined = ofChosenRows(statement, isLocked(table, address, entry.reference('lockedRows')))
  return insertingStatement(confined, input, {
    body: confined.body,
    rows,
    entries: deletedEntries(before, input),
    start,
    lock: {
      rows: lockRows(target),
      reached: lockReachedRows(target, reach, { patch: removed, addresses: input.lockedRows }),
      isDeep: reach.isDeep,
    },
  })
}

function deletedEntries(before: RowReference, { tracked, entry }: RewriteInput): RowEntries {
  const from = own('op')
  if (!tracked.isTracked) return noEntries
  if (tracked.link) return linkEntries(tracked.link, tracked, { from, before, entry })
  const columns = { id: tracked.id(before), details: tracked.deleted(before, entry) }
  return entryOfEachRow(tracked, from, columns, tracked.action('delete'))
}
