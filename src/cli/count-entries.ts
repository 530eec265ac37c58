import { readRetiredUntil } from '../log/retired.ts'
import { type Connection, plain } from '../postgres/connection.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { LogTable } from '../postgres/log-catalog.ts'
import { timeSpanSql } from '../search/entries-query.ts'
import { isoTimestamp } from '../values/iso-timestamp.ts'
import { logConnection } from './connection.ts'

/** How much the log holds. */
export interface EntryCount {
  readonly count: number
  /** False for the planner's estimate. */
  readonly exact: boolean
  /** ISO 8601; null for an empty log. */
  readonly newest: string | null
  /** What is older than this, ISO 8601, may be in the archive, and is not counted; left out where nothing has left the table. */
  readonly retiredUntil?: string
}

/** Above this, counting would read for seconds what nobody needs to the last digit. */
const countableRows = 1_000_000

/** Counts the entries. In a large log it asks the planner, and an index for the newest. */
export async function countEntries(
  connection: Connection,
  { schema, name, estimatedRows }: LogTable,
): Promise<EntryCount> {
  const table = quoteTable({ schema, name })
  const exact = estimatedRows < countableRows
  const newest = exact
    ? `SELECT max("timestamp") AS "at", count(*) AS "count" FROM ${table}`
    : `SELECT "last" AS "at", NULL AS "count" FROM (${timeSpanSql(table)}) AS "span"`
  const sql = `SELECT "count"::text, ${isoTimestamp(`"at" AT TIME ZONE 'UTC'`, 'MS')} FROM (${newest}) AS "log"`
  const { rows } = await connection.queryRaw(plain(sql))
  const [count, at] = rows[0] ?? []
  const retiredUntil = await readRetiredUntil(logConnection(connection), { schema, name })
  return {
    ...(retiredUntil !== null && { retiredUntil }),
    count: exact ? Number(count) : Math.round(estimatedRows),
    exact,
    newest: (at as string) ?? null,
  }
}
