import type { MonthArchive } from '../archive-contract.ts'
import { AuditError } from '../errors.ts'
import { columnNames, logColumns } from '../log/columns.ts'
import { internalName } from '../log/internal-schema.ts'
import { readArchived } from '../parquet/catalog.ts'
import type { KeptManifest } from '../parquet/manifest.ts'
import { quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import type { OwnedLog } from './owned-log.ts'
import { readBackParts } from './read-back.ts'

/**
 * Brings a month back into the table, as it was: the archive is read and checked, a table beside the log is filled, and then one
 * transaction puts it in the place of the month's partition, and erases what was erased from the log since. The next `maintain` takes out again what the policy does not keep.
 *
 * @param month `2024-03`
 * @returns how many entries came back
 * @throws AuditError `AUDIT_NOT_MAINTAINED` where nothing of that month has left, `AUDIT_ARCHIVE_BROKEN`
 */
export async function restoreMonth(
  log: OwnedLog,
  archive: MonthArchive,
  month: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  const start = `${month}-01T00:00:00Z`
  const months = await readArchived(log.connection, log.table, { areRetired: true })
  const found = months.find(({ from, to }) => (from === null || from <= start) && start < to)
  if (!found) {
    throw new AuditError(
      'AUDIT_NOT_MAINTAINED',
      `Nothing of ${month} has left the audit log ${quoteTable(log.table)} for its archive, so there is nothing to restore. Nothing was changed.`,
    )
  }
  const { connection } = log
  const [made] = await connection.query<{ beside: string }>(
    `SELECT ${internalName(log.table, 'create_beside')}($1::text::pg_catalog.regclass, 'restored') AS beside`,
    quoteTable(log.table),
  )
  const { beside } = made as { beside: string }
  try {
    await fill(log, archive, beside, found.manifests, signal)
    const [row] = await connection.query<{ entries: number }>(
      `SELECT ${internalName(log.table, 'restore_partition')}($1::text::pg_catalog.regclass, $2::text, $3::text::pg_catalog.timestamptz)::float8 AS entries`,
      ...[quoteTable(log.table), beside, found.to],
    )
    return row?.entries ?? 0
  } catch (error) {
    // it may have values that were erased
    await connection.query(`DROP TABLE IF EXISTS ${beside}`).catch(() => {})
    throw error
  }
}

async function fill(
  { connection }: OwnedLog,
  archive: MonthArchive,
  beside: string,
  manifests: readonly KeptManifest[],
  signal: AbortSignal,
): Promise<void> {
  const engine = await archive.engine()
  for (const stored of manifests) {
    await archive.fetch(stored.reference, 'store', signal)
    await readBackParts(archive, stored.manifest, signal)
    const paths: string[] = []
    for (const part of stored.manifest.parts) paths.push(await archive.fetch(part, 'anywhere', signal))
    for await (const rows of engine.rows(paths)) {
      await connection.query(`INSERT INTO ${beside} (${names}) ${selected}`, JSON.stringify(rows))
    }
  }
}

const names = columnNames.map(quoteIdentifier).join(', ')

const selected = `SELECT ${columnNames.map((name) => `r.${quoteIdentifier(name)}::${logColumns[name].type}`).join(', ')}
FROM pg_catalog.json_to_recordset($1::text::json) AS r(${columnNames.map((name) => `${quoteIdentifier(name)} text`).join(', ')})`
