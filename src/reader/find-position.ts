import { internalTable } from '../log/internal-schema.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type ReaderLog, transactionSql } from './reader-log.ts'

/** What tells one server's log from another's, as far as the role may see it. */
export interface EraPlace {
  readonly systemIdentifier: string | null
  readonly timeline: number | null
  readonly tableOid: string | null
}

interface FoundEra extends EraPlace {
  readonly number: number
  readonly id: string
  readonly beganAt: string
  readonly afterSeq: string
  readonly transactionId: string
}

/** Numbers as text, since those of JSON would be rounded. */
export interface FoundPosition {
  readonly log: string
  readonly place: EraPlace
  readonly horizon: string
  readonly next: string
  readonly eras: readonly FoundEra[]
  /** The entry with the highest transaction id. */
  readonly last: { readonly transactionId: string; readonly seq: string } | null
  /** The highest `seq` that any consumer has done; none in another server's log is higher. */
  readonly highestSeq: string
  /** The highest transaction id that a consumer has done in the present era. */
  readonly doneTransactionId: string
  /** Whether logical replication writes to the log. */
  readonly isReplicated: boolean
}

/** Of the common table expression `eras`. */
const erasJson = `(SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('number', number, 'id', id,
      'beganAt', pg_catalog.to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'afterSeq', after_seq::text, 'transactionId', transaction_id::text, 'systemIdentifier', system_identifier::text,
      'timeline', timeline, 'tableOid', table_oid::text) ORDER BY number), '[]') FROM eras)`

/** The log as `log`, and its eras. */
function erasOf(table: TableName): string {
  return `log AS (
  SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.oid = $1::pg_catalog.regclass
), eras AS (SELECT e.* FROM ${internalTable(table, 'eras')} AS e JOIN log ON e.log = log.name)`
}

/** What of it takes the least to find: what the log is called, and its eras. */
export function findEras({ table, connection }: ReaderLog): Promise<Pick<FoundPosition, 'log' | 'eras'>> {
  return findJson(
    connection,
    `WITH ${erasOf(table)} SELECT pg_catalog.json_build_object('log', log.name, 'eras', ${erasJson})::text AS found FROM log`,
    quoteTable(table),
  )
}

/** One statement, so that its parts agree. */
export function findPosition({ table, connection }: ReaderLog): Promise<FoundPosition> {
  const log = quoteTable(table)
  const allowed = (name: string, value: string) =>
    `CASE WHEN has_function_privilege('pg_catalog.${name}()', 'EXECUTE') THEN (SELECT ${value} FROM pg_catalog.${name}()) END`
  return findJson(
    connection,
    `WITH ${erasOf(table)},
consumers AS (SELECT c.* FROM ${internalTable(table, 'consumers')} AS c JOIN log ON c.log = log.name)
SELECT pg_catalog.json_build_object(
  'log', log.name,
  'place', pg_catalog.json_build_object(
    'systemIdentifier', ${allowed('pg_control_system', 'system_identifier::text')},
    'timeline', ${allowed('pg_control_checkpoint', 'timeline_id')},
    'tableOid', log.oid::text),
  'horizon', pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text,
  'next', pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text,
  'eras', ${erasJson},
  'last', (SELECT pg_catalog.json_build_object('transactionId', transaction_id::text, 'seq', seq::text)
    FROM ${log} ORDER BY ${transactionSql} DESC, seq DESC LIMIT 1),
  'highestSeq', (SELECT coalesce(max(highest_seq), 0)::text FROM consumers),
  'doneTransactionId', (SELECT coalesce(max(transaction_id), 0)::text FROM consumers
    WHERE era = (SELECT max(number) FROM eras)),
  'isReplicated', EXISTS (SELECT FROM pg_catalog.pg_subscription_rel WHERE srrelid = log.oid)
)::text AS found FROM log`,
    log,
  )
}

async function findJson<T>(connection: SqlClient, sql: string, log: string): Promise<T> {
  const [row] = await connection.query<{ found: string }>(sql, log)
  return JSON.parse((row as { found: string }).found) as T
}
