import { internalName } from '../log/internal-schema.ts'
import { describeDefault } from '../log/log-partitions.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { readPartitions } from '../postgres/partitions.ts'
import { type MaintenanceAction, type MaintenanceOptions, monthsAhead } from './maintenance.ts'
import type { OwnedLog } from './owned-log.ts'

/**
 * Creates the partitions that a partitioned log lacks, and protects those that others created. Writers don't wait, and one
 * process at a time does so.
 */
export async function createPartitions(
  log: OwnedLog,
  { isDryRun, since }: MaintenanceOptions,
): Promise<MaintenanceAction[]> {
  const values = [quoteTable(log.table), String(monthsAhead), since ?? null]
  const given = '$1::text::pg_catalog.regclass, $2::text::int4, $3::text::pg_catalog.timestamptz'
  const created = `SELECT partition, is_new AS "isNew" FROM ${internalName(log.table, 'create_partitions')}(${given})`
  const missing = `SELECT pg_catalog.to_char(lower AT TIME ZONE 'UTC', 'YYYY-MM') AS partition, true AS "isNew"
    FROM ${internalName(log.table, 'missing_months')}(${given})
    UNION ALL SELECT ${internalName(log.table, 'log_name')}(partition), false FROM ${internalName(log.table, 'partitions')}($1::text::pg_catalog.regclass) WHERE NOT is_protected`
  const rows = await log.connection.query<{ partition: string; isNew: boolean }>(
    isDryRun ? missing : created,
    ...values,
  )
  const actions = rows.map(
    ({ partition, isNew }): MaintenanceAction => ({
      action: isNew ? 'create partition' : 'protect partition',
      subject: partition,
    }),
  )
  return [...actions, ...(await waitForDefault(log))]
}

/** A default partition is somebody else's, and so is what becomes of it. */
async function waitForDefault({ connection, table }: OwnedLog): Promise<MaintenanceAction[]> {
  const found = await readPartitions(connection, table)
  const stray = found?.partitions.find(({ isDefault }) => isDefault)
  return stray ? [{ action: 'wait for', subject: stray.name, why: describeDefault(stray) }] : []
}

/**
 * Forgets the ids that a second attempt to write would meet: whoever tries again does so within minutes.
 */
export async function forgetWrittenIds(
  log: OwnedLog,
  { isDryRun }: MaintenanceOptions,
): Promise<MaintenanceAction[]> {
  if (isDryRun) return []
  await log.connection.query(
    `DELETE FROM ${internalName(log.table, 'written_ids')} WHERE log = ${internalName(log.table, 'log_name')}($1::text::pg_catalog.regclass)
      AND written_at < pg_catalog.clock_timestamp() - interval '1 day'`,
    quoteTable(log.table),
  )
  return []
}
