import { quoteLiteral, type TableName } from '../../postgres/identifiers.ts'
import type { UncapturableReason } from '../parse/uncapturable.ts'
import { entryDetails } from './entry-details.ts'
import { type EntryQuery, logInsert } from './entry-insert.ts'
import { EntryParameters, type EntryShape } from './entry-parameters.ts'

/** The statement that writes the one entry of a statement that can't be captured row by row. */
export interface RawEntry {
  /** Its first parameter is the text of the uncapturable statement. */
  readonly sql: string
  /** The parameters after it. */
  readonly parameters: EntryParameters
}

/** The query of an entry beside those of a statement's rows. */
export type Note = (reason: UncapturableReason, entry: EntryParameters) => EntryQuery

/** An entry beside those of a statement's rows: other rows may have changed, and why that is not known. */
export function noteEntry(statement: string, reason: UncapturableReason, entry: EntryParameters): EntryQuery {
  const details = { statement: `${quoteLiteral(statement)}::text`, reason: `${quoteLiteral(reason)}::text` }
  return {
    action: `'raw.execute'`,
    resourceType: `'raw'`,
    resourceId: 'NULL',
    details: entryDetails(details, entry),
  }
}

export function rawEntry(reason: UncapturableReason, log: TableName, shape: EntryShape): RawEntry {
  const parameters = new EntryParameters(shape, 1)
  const details = entryDetails({ statement: '$1::text', reason: `${quoteLiteral(reason)}::text` }, parameters)
  const entry = { action: `'raw.execute'`, resourceType: `'raw'`, resourceId: 'NULL', details }
  return { sql: logInsert(log, [entry], parameters), parameters }
}
