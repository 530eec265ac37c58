import { columnNames } from '../log/columns.ts'
import { exactColumn } from '../reader/exact-row.ts'
import type { ExactRow } from '../sink.ts'

/**
 * An entry as exactly one text: a JSON array of its columns in the order of the table, each a string or null, in the form of
 * RFC 8785. There is no number in it, so none can lose a digit.
 */
export function canonicalForm(row: ExactRow): string {
  return JSON.stringify(columnNames.map((name) => row[name]))
}

/** The same as PostgreSQL makes it out of a row of the table: of type json. */
export const canonicalSql = `pg_catalog.array_to_json(ARRAY[${columnNames.map(exactColumn).join(', ')}])`
