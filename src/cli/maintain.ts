import { quoteTable } from '../postgres/identifiers.ts'
import { convertLog } from '../retention/convert-log.ts'
import { maintainLog } from '../retention/maintain.ts'
import { type MaintenanceAction, monthsAhead } from '../retention/maintenance.ts'
import { ownedLog } from '../retention/owned-log.ts'
import { logConnection, withWritingConnection } from './connection.ts'
import { databaseUrl } from './database-url.ts'
import { tableOption, UsageError } from './usage.ts'

/** Maintains the log in the database of the project in `directory`. */
export async function maintainProjectLog(
  directory: string,
  { table, isDryRun, since }: { table: string | undefined; isDryRun: boolean; since: string | undefined },
): Promise<MaintenanceAction[]> {
  const from = since === undefined ? undefined : monthOf(since)
  const name = tableOption(table)
  return withWritingConnection(await databaseUrl(directory), name, (connection) =>
    maintainLog(ownedLog({ table: name, connection: logConnection(connection) }), {
      ...{ isDryRun, monthsAhead, since: from },
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
  return withWritingConnection(await databaseUrl(directory), name, async (connection) => {
    const log = ownedLog({ table: name, connection: logConnection(connection) })
    return (await convertLog(log, note))
      ? `The audit log ${quoteTable(name)} is a table of months now.\n`
      : `Nothing to do: the audit log ${quoteTable(name)} is partitioned already.\n`
  })
}

/** What was done, or would be, for people to read. */
export function describeMaintenance(
  actions: readonly MaintenanceAction[],
  { isDryRun }: { isDryRun: boolean },
): string {
  if (actions.length === 0) return 'Nothing to do.\n'
  return actions.map(({ action, subject }) => `${isDryRun ? 'would ' : ''}${action} ${subject}\n`).join('')
}

/** `2024-03` → its first moment, in UTC. */
function monthOf(text: string): string {
  const moment = new Date(`${text}-01T00:00:00Z`)
  if (/^\d{4}-\d\d$/.test(text) && !Number.isNaN(+moment)) return moment.toISOString()
  throw new UsageError(`--since takes a month, such as 2024-03, and not ${JSON.stringify(text)}.`)
}
