import { AuditError } from '../errors.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { endOfPartitions, type Partition, readPartitions } from '../postgres/partitions.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { checkViolation, sqlStateOf } from '../postgres/sql-state.ts'
import type { Log } from './log.ts'

/** What is wrong with a default partition, for people. */
export function describeDefault({ name, isEmpty }: Partition): string {
  const fix = isEmpty
    ? `it has never had an entry: DROP TABLE ${name}`
    : 'put its entries into months, as docs/partitions.md says'
  return `it is a default partition: what it takes never leaves the log, and no month can be created that it has entries of; ${fix}`
}

/** With less than this ahead, in milliseconds, a client says so: a month. */
const enough = 30 * 86_400_000

/**
 * Makes sure that a partitioned log can be written to for a while, and that each of its partitions is protected.
 *
 * @throws AuditError `AUDIT_PARTITION_MISSING`, `AUDIT_PARTITION_DEFAULT`, `AUDIT_PARTITIONS_ENDING` or `AUDIT_LOG_UNPROTECTED`
 */
export async function checkPartitions(connection: SqlClient, table: TableName): Promise<void> {
  const found = await readPartitions(connection, table)
  if (!found) return
  const stray = found.partitions.find(({ isDefault }) => isDefault)
  const end = endOfPartitions(found)
  if (end === undefined) throw missingPartition(table)
  const open = found.partitions.find(({ isProtected }) => !isProtected)
  if (open) {
    throw new AuditError(
      'AUDIT_LOG_UNPROTECTED',
      `The partition ${open.name} of the audit log ${quoteTable(table)} lacks a trigger that refuses UPDATE, DELETE or TRUNCATE, so entries can be changed. Entries are still written. Run "npx prisma-extension-audit maintain".`,
    )
  }
  if (stray) {
    throw new AuditError(
      'AUDIT_PARTITION_DEFAULT',
      `The audit log ${quoteTable(table)} has the partition ${stray.name} that it should not have: ${describeDefault(stray)}. Entries are still written.`,
    )
  }
  if (end - found.now >= enough) return
  throw new AuditError(
    'AUDIT_PARTITIONS_ENDING',
    `The partitions of the audit log ${quoteTable(table)} end at ${new Date(end).toISOString()}, and from then on writes are refused that are recorded. Entries are still written. Run "npx prisma-extension-audit maintain", and let cron run it every day.`,
  )
}

/**
 * Why PostgreSQL refused an entry by a condition on rows, where the condition is that there is a partition.
 *
 * @throws AuditError `AUDIT_PARTITION_MISSING`
 */
export async function refuseWithoutPartition(
  { connection, options: { table }, isTransaction }: Pick<Log, 'connection' | 'options' | 'isTransaction'>,
  error: unknown,
): Promise<void> {
  // the error has ended a transaction, which says nothing more
  if (sqlStateOf(error) !== checkViolation || isTransaction) return
  const found = await readPartitions(connection, table).catch(() => undefined)
  if (found && endOfPartitions(found) === undefined) throw missingPartition(table, error)
}

export function missingPartition(table: TableName, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_PARTITION_MISSING',
    `The audit log ${quoteTable(table)} has no partition for what is written now, so nothing was written. Run "npx prisma-extension-audit maintain" with the role that owns the table, and try again.`,
    { cause },
  )
}
