import { columnNames } from '../log/columns.ts'
import type { ExactRow } from '../sink.ts'

const detailsKey = ',"details":'
const namesBefore = columnNames.filter((name) => name !== 'details')

/**
 * A row as a line of NDJSON, its end included. The same row always makes the same bytes. Every column is a string or null, but
 * for `details`, which is last and stands as PostgreSQL prints it.
 */
export function rowLine(row: ExactRow): string {
  const columns = namesBefore.map((name) => `"${name}":${JSON.stringify(row[name])}`)
  return `{${columns.join(',')}${detailsKey}${row.details ?? 'null'}}\n`
}

/** Rows, a line each. */
export function rowLines(rows: readonly ExactRow[]): Buffer {
  return Buffer.from(rows.map(rowLine).join(''))
}

/** The row that a line was made of, exactly. */
export function lineRow(line: string): ExactRow {
  // inside a string its quotes would be escaped, so this is the column
  const at = line.indexOf(detailsKey)
  const details = line.slice(at + detailsKey.length).replace(/\}\n?$/, '')
  const columns = JSON.parse(`${line.slice(0, at)}}`) as Omit<ExactRow, 'details'>
  return { ...columns, details: details === 'null' ? null : details }
}
