import { type ArchivedMonth, readArchived } from '../parquet/catalog.ts'
import { archiveDdl, type Engine, engines } from '../parquet/ddl.ts'
import { restoreMonth } from '../retention/restore-month.ts'
import type { ResolvedRetention } from '../retention-options.ts'
import { loadAuditConfig } from './audit-config.ts'
import { monthOption } from './command.ts'
import { notConfigured, retentionIn } from './config-options.ts'
import { withLog, withOwnedLog } from './open-log.ts'
import { tableOption, UsageError } from './usage.ts'

/** What is in the archive of the project in `directory`, the newest month first. */
export async function listArchive(table: string | undefined): Promise<ArchivedMonth[]> {
  return withLog(table, (log) => readArchived(log.connection, log.options.table))
}

/** A line for each month. */
export function describeArchive(months: readonly ArchivedMonth[]): string {
  if (months.length === 0) return 'Nothing is archived yet.\n'
  return months
    .map(({ from, to, entries, onlineEntries, location }) => {
      const what = from === null ? `before ${to.slice(0, 7)}` : from.slice(0, 7)
      return `${what}: ${entries} in ${location}, ${onlineEntries} of them in the table\n`
    })
    .join('')
}

/** The statements with which an engine reads the archive of the project in `directory`. */
export async function printArchiveDdl(
  directory: string,
  table: string | undefined,
  engine: string,
): Promise<string> {
  if (!engines.some((one) => one === engine)) {
    throw new UsageError(`--ddl must be ${engines.join(', ')}, and is ${JSON.stringify(engine)}.`)
  }
  const { archive } = await configuredRetention(directory)
  const { schema = 'public', name } = tableOption(table)
  return archiveDdl(engine as Engine, archive.location, `${schema}.${name}`)
}

/** @returns what was done, for people to read */
export async function restoreArchived(
  directory: string,
  table: string | undefined,
  given: string,
): Promise<string> {
  const month = monthOption('restore', given)
  const { archive } = await configuredRetention(directory)
  const entries = await withOwnedLog(directory, tableOption(table), (log) =>
    restoreMonth(log, archive, month),
  )
  return `${entries} entries of ${month} are in the table again.\n`
}

async function configuredRetention(directory: string): Promise<ResolvedRetention> {
  const config = await loadAuditConfig(directory)
  const retention = retentionIn(config)
  if (retention) return retention
  throw notConfigured(
    config,
    'option retention',
    'it is not known where the archive is. See docs/retention.md.',
  )
}
