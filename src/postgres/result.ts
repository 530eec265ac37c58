import type { SqlResult } from './connection.ts'

/** A result without our own columns. Without any others it has no rows either, like a statement without RETURNING. */
export function withoutLastColumns(result: SqlResult, surplus: number): SqlResult {
  if (surplus === 0) return result
  const { columnNames, columnTypes, rows, ...rest } = result
  const remaining = columnNames.slice(0, -surplus)
  return {
    ...rest,
    columnNames: remaining,
    columnTypes: columnTypes.slice(0, -surplus),
    rows: remaining.length === 0 ? [] : rows.map((row) => row.slice(0, -surplus)),
  }
}
