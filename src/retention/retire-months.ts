import { internalName } from '../log/internal-schema.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { readPartitions } from '../postgres/partitions.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import type { ResolvedRetention } from '../retention-options.ts'
import { type ArchivingOptions, archiveMonth } from './archive-month.ts'
import { whoStillReads, whyNotOver } from './closing.ts'
import type { MaintenanceAction, MaintenanceOptions } from './maintenance.ts'
import { describePolicy, mayLeave, type PastMonth, readPastMonths } from './months.ts'
import { differsFromArchive, type OwnedLog, ownedLog } from './owned-log.ts'

/** Archives the months that are over, and takes out of the table what does not have to stay in it. One process at a time. */
export async function retireMonths(log: OwnedLog, options: MaintenanceOptions): Promise<MaintenanceAction[]> {
  const retention = await options.retention?.()
  if (!retention) return []
  if (!(await readPartitions(log.connection, log.table))) return [oneTable(log)]
  if (options.isDryRun || !log.transaction) return retireAll(log, retention, options, log.connection)
  return log.transaction(async (connection) => {
    if (await takeLock(log, connection)) {
      return retireAll(log, retention, options, ownedLog({ ...log, connection }).connection)
    }
    return [
      { action: 'wait for', subject: quoteTable(log.table), why: 'another process archives its months' },
    ]
  })
}

/** Until the transaction ends, which the server must not do of its own accord: it is idle while a month is archived. */
async function takeLock({ table }: OwnedLog, connection: SqlClient): Promise<boolean> {
  await connection.query(
    `SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
  )
  const [lock] = await connection.query<{ taken: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('prisma-extension-audit/retire ' || $1::text::pg_catalog.regclass, 0)) AS taken`,
    quoteTable(table),
  )
  return lock?.taken === true
}

function oneTable({ table }: OwnedLog): MaintenanceAction {
  const why = 'it is one table, which no month can leave. Run "npx prisma-extension-audit partition"'
  return { action: 'wait for', subject: quoteTable(table), why }
}

async function retireAll(
  log: OwnedLog,
  retention: ResolvedRetention,
  options: MaintenanceOptions,
  lock: SqlClient,
): Promise<MaintenanceAction[]> {
  const signal = options.signal ?? new AbortController().signal
  const months = await readPastMonths(log, retention)
  const actions: MaintenanceAction[] = []
  if (months.some(({ isArchived }) => !isArchived)) {
    if (!options.isDryRun) await retention.archive.check(signal)
    const why = await whyNotOver(log, signal)
    if (why) return [{ action: 'wait for', subject: quoteTable(log.table), why }]
  }
  for (const month of months) {
    signal.throwIfAborted()
    if (month.isArchived && !mayLeave(month)) continue
    const readers = await whoStillReads(log, month, options.readers ?? [])
    if (readers.length > 0) {
      const why = `not all of it has been read by ${readers.join(', ')}`
      actions.push({ action: 'wait for', subject: month.partition, why })
      continue
    }
    const archiving = { lock, note: options.note, signal }
    if (!month.isArchived && options.isDryRun) {
      const entries = (await countLeaving(log, month)).all
      actions.push({ action: 'archive', subject: month.partition, entries, why: 'its time is over' })
    } else if (!month.isArchived) {
      actions.push(...(await archiveMonth(log, month, retention.archive, archiving)))
    }
    actions.push(...(await retire(log, month, options, archiving)))
  }
  return actions
}

/** The policy is read once more, as somebody may have set a hold since. */
async function retire(
  log: OwnedLog,
  { partition }: PastMonth,
  options: MaintenanceOptions,
  archiving: ArchivingOptions,
): Promise<MaintenanceAction[]> {
  const retention = await options.retention?.()
  const month = retention && (await readPastMonths(log, retention)).find((one) => one.partition === partition)
  if (!month || !mayLeave(month)) return []
  const why = describePolicy(retention)
  if (options.isDryRun) {
    const { all, leaving } = await countLeaving(log, month)
    return leaving === 0 && all > 0 ? [] : [{ action: 'retire', subject: partition, entries: leaving, why }]
  }
  const actions: MaintenanceAction[] = []
  const entries = await retirePartition(log, month, why).catch(async (error: unknown) => {
    if (!differsFromArchive(error)) throw error
    // what came after it was archived, as an import of the past does
    actions.push(...(await archiveMonth(log, month, retention.archive, archiving)))
    return retirePartition(log, month, why)
  })
  if (entries === null) return actions
  options.note?.(`${partition}: retired ${entries} entries`)
  return [...actions, { action: 'retire', subject: partition, entries, why }]
}

async function retirePartition(
  log: OwnedLog,
  { partition, upper, rules, othersStay }: PastMonth,
  why: string,
): Promise<number | null> {
  const [row] = await log.connection.query<{ entries: number | null }>(
    `SELECT ${internalName(log.table, 'retire_partition')}($1::text::pg_catalog.regclass, $2::text, $3::text::pg_catalog.timestamptz,
  $4::text::jsonb, $5::text::bool, $6::text)::float8 AS entries`,
    ...[quoteTable(log.table), partition, upper, JSON.stringify(rules), String(othersStay), why],
  )
  return row?.entries ?? null
}

async function countLeaving(
  log: OwnedLog,
  { partition, rules, othersStay }: PastMonth,
): Promise<{ all: number; leaving: number }> {
  const stays = `${internalName(log.table, 'stays')}(l.resource_type, l.organization_id, $1::text::jsonb, $2::text::bool)`
  const [row] = await log.connection.query<{ all: number; leaving: number }>(
    `SELECT count(*)::float8 AS "all", count(*) FILTER (WHERE NOT ${stays})::float8 AS leaving FROM ONLY ${partition} AS l`,
    ...[JSON.stringify(rules), String(othersStay)],
  )
  return row ?? { all: 0, leaving: 0 }
}
