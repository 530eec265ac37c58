import { quoteTable } from '../../postgres/identifiers.ts'
import { type ReaderLog, transactionSql } from '../../reader/reader-log.ts'
import { canonicalSql } from '../canonical-form.ts'
import { foundEntry } from './entry-findings.ts'
import type { FoundEntry } from './finding.ts'
import type { RowValues } from './rows-between.ts'

/** A few, of those that stand nowhere; what they all are is found once these are gone. */
const mostOfThem = 1_000

/**
 * Rows that no reader ever comes to, so that they are never sealed, and stand in no part of what was: without a `seq` or a
 * transaction, or with one that can't be. Nobody but who alters the table can add such a row.
 */
export async function readRowsWithoutPlace({ table, connection }: ReaderLog): Promise<FoundEntry[]> {
  const log = quoteTable(table)
  const rows = (condition: string) =>
    `(SELECT ${canonicalSql} AS line FROM ${log} AS l WHERE ${condition} LIMIT ${mostOfThem})`
  // where the columns can't be null, which the catalog tells, no row is looked at
  const areNullable = `(SELECT NOT pg_catalog.bool_and(a.attnotnull) FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = $1::pg_catalog.regclass AND a.attname IN ('seq', 'transaction_id'))`
  const [found] = await connection.query<{ rows: string }>(
    `SELECT coalesce(pg_catalog.json_agg(r.line), '[]')::text AS rows FROM (
  ${rows(`${transactionSql} > '9223372036854775807'::pg_catalog.xid8`)}
  UNION ALL ${rows(`${areNullable} AND (l.seq IS NULL OR l.transaction_id IS NULL)`)}
) AS r`,
    log,
  )
  return (JSON.parse(found?.rows ?? '[]') as RowValues[]).map(foundEntry)
}
