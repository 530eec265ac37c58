import { own } from '../../postgres/identifiers.ts'
import type { InsertStatement } from '../parse/statement.ts'
import {
  callingStatement,
  insertingStatement,
  type RewriteInput,
  type Rewritten,
  recorderOf,
} from './audited-statement.ts'
import { linkEntries } from './link.ts'
import { recordCall } from './recorder.ts'
import { entryOfEachRow } from './row-entries.ts'
import { singleRow } from './row-names.ts'

/** An INSERT: its RETURNING has the new rows, without those that ON CONFLICT DO NOTHING skipped. */
export function rewriteInsert(statement: InsertStatement, input: RewriteInput): Rewritten {
  const { tracked, entry } = input
  const rows = singleRow(statement)
  const { after } = rows
  const recorder = recorderOf(input)
  if (recorder) {
    const created = { after: tracked.row(after, recorder.iso) }
    return callingStatement(
      statement,
      input,
      rows,
      recordCall(recorder, tracked, tracked.id(after), created, entry),
    )
  }
  const from = own('op')
  const entries = tracked.link
    ? linkEntries(tracked.link, tracked, { from, after, entry })
    : entryOfEachRow(
        tracked,
        from,
        { id: tracked.id(after), details: tracked.created(after, entry) },
        tracked.action('create'),
      )
  return insertingStatement(statement, input, { body: statement.body, rows, entries })
}
