import type { ExactRow } from '../sink.ts'
import { columnNames, type LogColumn } from './columns.ts'

const detailsKey = ',"details":'
const namesBefore = columnNames.filter((name) => name !== 'details')

/** The columns in the order of a line. */
export const lineColumns = [...namesBefore, 'details'] as const satisfies readonly LogColumn[]

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

/** The lines of a text, without their ends. */
export function splitLines(text: string): string[] {
  return text.split('\n').slice(0, -1)
}

/** The first of some lines, without its end. */
export function firstLine(lines: Uint8Array): string {
  return new TextDecoder().decode(lines.subarray(0, lines.indexOf(0x0a)))
}

/** A column of a line whose text is the same in JSON, without parsing the others. Empty for null. */
export function columnOfLine(line: string, name: 'timestamp' | 'seq'): string {
  const key = `,"${name}":"` // inside a string its quotes would be escaped
  const at = line.indexOf(key)
  const from = at + key.length
  return at < 0 ? '' : line.slice(from, line.indexOf('"', from))
}

/** The row that a line was made of, exactly. */
export function lineRow(line: string): ExactRow {
  // inside a string its quotes would be escaped, so this is the column
  const at = line.indexOf(detailsKey)
  const details = line.slice(at + detailsKey.length).replace(/\}\n?$/, '')
  const columns = JSON.parse(`${line.slice(0, at)}}`) as Omit<ExactRow, 'details'>
  return { ...columns, details: details === 'null' ? null : details }
}
