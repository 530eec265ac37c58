import { internalName } from '../log/internal-schema.ts'
import { quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import { timeSpanSql } from '../search/entries-query.ts'
import { monthsAhead } from './maintenance.ts'
import type { OwnedLog } from './owned-log.ts'

/**
 * Makes a log a table of months while others read and write: the new key's index and the CHECK take long and hold nobody up,
 * and then one short transaction puts a partitioned table in the place of the log's.
 *
 * @param note told what begins
 * @returns false where it is one already
 * @throws AuditError `AUDIT_NOT_MAINTAINED`; the log is as it was then, and another attempt goes on where this one ended
 */
export async function convertLog(log: OwnedLog, note: (text: string) => void): Promise<boolean> {
  const { connection, table } = log
  const name = quoteTable(table)
  const found = await findLog(log)
  if (found.isPartitioned) return false

  await connection.query(`SELECT ${internalName(log.table, 'refuse_unfit')}(${regclass})::text`, name)
  const index = { schema: found.schema, name: `${table.name}_partition_key` }
  if (found.hasKey === false) await connection.query(`DROP INDEX CONCURRENTLY ${quoteTable(index)}`)
  if (!found.hasKey) {
    note('Building the index of the new key. Others go on reading and writing.')
    await connection.query(
      `CREATE UNIQUE INDEX CONCURRENTLY ${quoteIdentifier(index.name)} ON ${name} ("id", "timestamp")`,
    )
  }
  const [newest] = await connection.query<{ last: string | null }>(
    `SELECT "last"::text FROM (${timeSpanSql(name)}) AS span`,
  )
  await connection.query(
    `SELECT ${internalName(log.table, 'bound_log')}(${regclass}, $2::text::pg_catalog.timestamptz)::text`,
    ...[name, newest?.last ?? null],
  )
  const bound = quoteIdentifier(`${table.name}_partition_bound`)
  try {
    note('Checking how far the entries reach.')
    await connection.query(`ALTER TABLE ${name} VALIDATE CONSTRAINT ${bound}`)
    note('Putting the partitioned table in its place.')
    // with the next month only: making the others takes longer than all else, and nobody need wait for it
    await connection.query(`SELECT ${internalName(log.table, 'partition_log')}(${regclass}, 1)`, name)
  } catch (error) {
    // it would refuse what is written after its month
    await connection.query(`ALTER TABLE ${name} DROP CONSTRAINT IF EXISTS ${bound}`).catch(() => {})
    throw error
  }
  await connection.query(
    `SELECT partition FROM ${internalName(log.table, 'create_partitions')}(${regclass}, ${monthsAhead})`,
    name,
  )
  return true
}

const regclass = '$1::text::pg_catalog.regclass'

interface FoundLog {
  readonly isPartitioned: boolean
  readonly schema: string
  /** Whether the index of the new key is valid; null where there is none. */
  readonly hasKey: boolean | null
}

async function findLog({ connection, table }: OwnedLog): Promise<FoundLog> {
  const [found] = await connection.query<FoundLog>(
    `SELECT c.relkind = 'p' AS "isPartitioned", n.nspname AS schema,
      (SELECT indisvalid FROM pg_catalog.pg_index JOIN pg_catalog.pg_class i ON i.oid = indexrelid
        WHERE indrelid = c.oid AND i.relname = c.relname || '_partition_key') AS "hasKey"
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${regclass}`,
    quoteTable(table),
  )
  return found as FoundLog
}
