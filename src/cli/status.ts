import { styleText } from 'node:util'
import { readLogCatalog } from '../postgres/log-catalog.ts'
import { type Check, checklistOf } from './checks.ts'
import { withConnection } from './connection.ts'
import { countEntries, type EntryCount } from './count-entries.ts'
import { tableOption } from './usage.ts'

/** What `status` found. */
export interface Status {
  /** Everything required is there; warnings leave it true. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** Null when the table is not there or can't be read. */
  readonly entries: EntryCount | null
}

/**
 * Checks the log in a database: table, columns, triggers, indexes, and what the connection's role may do.
 *
 * @throws AuditError `AUDIT_CLI` when the database can't be asked.
 */
export async function readStatus(url: string, table?: string): Promise<Status> {
  const name = tableOption(table)
  return withConnection(url, async (connection) => {
    const catalog = await readLogCatalog(connection, name)
    const checks = checklistOf(catalog, name)
    const log = catalog.table
    const readable = log?.schemaUsage && log.privileges.SELECT && log.columns.id && log.columns.timestamp
    const entries = readable ? await countEntries(connection, log) : null
    return { ok: checks.every(({ state }) => state !== 'missing'), checks, entries }
  })
}

/** The checklist for people to read. */
export function describeStatus({ ok, checks, entries }: Status, { colors }: { colors: boolean }): string {
  const marks = { ok: ['green', '✔'], warning: ['yellow', '!'], missing: ['red', '✘'] } as const
  const lines = checks.map(({ state, message }) => {
    const [color, mark] = marks[state]
    // main.ts decides on colours, for the stream that it writes to.
    return `${colors ? styleText(color, mark, { validateStream: false }) : mark} ${message}`
  })
  if (entries) lines.push(`  ${describeEntries(entries)}`)
  lines.push('', ok ? 'The audit log is in place.' : 'The audit log is not in place: see the lines marked ✘.')
  return `${lines.join('\n')}\n`
}

function describeEntries({ count, exact, newest }: EntryCount): string {
  const entries = `${exact ? '' : 'about '}${count} ${count === 1 ? 'entry' : 'entries'}`
  return newest === null ? entries : `${entries}, the newest of ${newest}`
}
