import { quoteTable } from '../postgres/identifiers.ts'
import { convertLog } from '../retention/convert-log.ts'
import { maintainLog } from '../retention/maintain.ts'
import type { MaintenanceAction } from '../retention/maintenance.ts'
import { requiredReaders } from '../retention/required-readers.ts'
import { loadAuditConfig } from './audit-config.ts'
import { monthOption } from './command.ts'
import { retentionIn } from './config-options.ts'
import { withOwnedLog } from './open-log.ts'
import { countedEntries } from './quantity.ts'
import { tableOption } from './usage.ts'

/** Maintains the log in the database of the project in `directory`. */
export async function maintainProjectLog(
  directory: string,
  options: {
    readonly table: string | undefined
    readonly isDryRun: boolean
    readonly since: string | undefined
    readonly signal?: AbortSignal
  },
  note: (text: string) => void = () => {},
): Promise<MaintenanceAction[]> {
  const { isDryRun, signal = new AbortController().signal } = options
  const since =
    options.since === undefined ? undefined : `${monthOption('since', options.since)}-01T00:00:00Z`
  const table = tableOption(options.table)
  const config = await loadAuditConfig(directory)
  retentionIn(config) // what can't be used is said before anything is done
  return withOwnedLog(directory, table, (log) =>
    maintainLog(log, {
      ...{ isDryRun, since, note, signal, readers: requiredReaders(config.options) },
      retention: async () => retentionIn(await loadAuditConfig(directory, { isAgain: true })),
    }),
  )
}

/**
 * Makes the log in the database of the project in `directory` a table of months, while others use it.
 *
 * @param note told what begins
 * @returns what was done, for people to read
 */
export async function convertProjectLog(
  directory: string,
  table: string | undefined,
  note: (text: string) => void,
): Promise<string> {
  const name = tableOption(table)
  return withOwnedLog(directory, name, async (log) =>
    (await convertLog(log, note))
      ? `The audit log ${quoteTable(name)} is a table of months now.\n`
      : `Nothing to do: the audit log ${quoteTable(name)} is partitioned already.\n`,
  )
}

/** What was done, or would be, for people to read. */
export function describeMaintenance(
  actions: readonly MaintenanceAction[],
  { isDryRun }: { isDryRun: boolean },
): string {
  if (actions.length === 0) return 'Nothing to do.\n'
  return actions
    .map(({ action, subject, entries, why }) => {
      const count = entries === undefined ? '' : `: ${countedEntries(entries)}`
      return `${isDryRun ? 'would ' : ''}${action} ${subject}${count}${why === undefined ? '' : ` (${why})`}\n`
    })
    .join('')
}
