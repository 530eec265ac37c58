import { columnNames } from '../log/columns.ts'
import type { ExactRow } from '../sink.ts'

/**
 * An entry as exactly one text: a JSON array of its columns in the order of the table, each a string or null, in the form of
 * RFC 8785. There is no number in it, so none can lose a digit.
 */
export function canonicalForm(row: ExactRow): string {
  return JSON.stringify(columnNames.map((name) => row[name]))
}
