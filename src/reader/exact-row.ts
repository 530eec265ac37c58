import { columnNames, type LogColumn } from '../log/columns.ts'
import { lineColumns } from '../log/ndjson.ts'
import { quoteIdentifier } from '../postgres/identifiers.ts'

/** What to select for an {@link ExactRow}. */
export const exactColumns = columnNames
  .map((name) => `${exactColumn(name)} AS ${quoteIdentifier(name)}`)
  .join(', ')

/** What to select for its line of NDJSON, out of which `row_to_json` makes it. */
export const exactLineColumns = lineColumns
  .map((name) => `${name === 'details' ? name : exactColumn(name)} AS ${quoteIdentifier(name)}`)
  .join(', ')

/** A column of an {@link ExactRow}. Two values never have the same text. */
export function exactColumn(name: LogColumn): string {
  if (name === 'timestamp') {
    const text = `pg_catalog.to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    // to_char says neither BC nor infinity: no clock gives such a time, but somebody may forge it
    return `CASE WHEN "timestamp" >= '0001-01-01 00:00:00Z' AND "timestamp" < 'infinity' THEN ${text}
  ELSE pg_catalog.to_json("timestamp" AT TIME ZONE 'UTC') #>> '{}' END`
  }
  // an address has its prefix length only where it is not that of one host
  if (name === 'ip') return 'pg_catalog.abbrev(ip)'
  return `${quoteIdentifier(name)}::pg_catalog.text`
}
