import { styleText } from 'node:util'
import { AuditError } from '../errors.ts'
import { readSealTriggers } from '../log/seal-triggers.ts'
import { readLogCatalog } from '../postgres/log-catalog.ts'
import { readLastVerification, type StoredVerification } from '../seal/verify/stored-verification.ts'
import { readInstalledTriggers } from '../triggers/installed-triggers.ts'
import { MigrationHistory } from '../triggers/migration-history.ts'
import { withRecordedOrigin } from '../triggers/trigger-changes.ts'
import { readAuditedProject } from './audited-project.ts'
import type { Check } from './check.ts'
import { checklistOf } from './checks.ts'
import { logConnection, withConnection } from './connection.ts'
import { countEntries, type EntryCount } from './count-entries.ts'
import { countedEntries } from './quantity.ts'
import { describeReaders, type ReadersStatus, readReaders } from './readers.ts'
import { triggerChecks, type WantedTriggers } from './trigger-checks.ts'
import { tableOption } from './usage.ts'

/** What `status` found. */
export interface Status {
  /** Everything required is there; warnings leave it true. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  /** Null when the table is not there or can't be read. */
  readonly entries: EntryCount | null
  /** Null where nobody reads the log on, or the role may not see it. */
  readonly readers: ReadersStatus | null
  /** The newest verification of its seals; null where none is stored, or the role may not see it. */
  readonly verification: StoredVerification | null
}

/**
 * Checks the log in a database: table, migrations, triggers, indexes, and what the connection's role may do.
 *
 * @param wanted the triggers that the project's tables are to have; undefined where there is no project
 * @throws AuditError `AUDIT_CLI` when the database can't be asked.
 */
export async function readStatus(url: string, table?: string, wanted?: WantedTriggers): Promise<Status> {
  const name = tableOption(table)
  return withConnection(url, name, async (connection) => {
    const catalog = await readLogCatalog(connection, name)
    const log = catalog.table
    const triggers = log?.functions.version
      ? triggerChecks(await readInstalledTriggers(connection), log, wanted)
      : { checks: [], areComplete: false }
    const sealTriggers = await readSealTriggers(logConnection(connection), name)
    const checks = [...checklistOf(catalog, name, sealTriggers, triggers.areComplete), ...triggers.checks]
    const readable = log?.schemaUsage && log.privileges.SELECT && log.columns.id && log.columns.timestamp
    const entries = readable ? await countEntries(connection, log) : null
    const readers = readable ? await readReaders(connection, name) : null
    const verification = readable ? await readLastVerification(logConnection(connection), name) : null
    return {
      ok: checks.every(({ state }) => state !== 'missing'),
      ...{ checks, entries, readers, verification },
    }
  })
}

/**
 * The triggers that the tables of the project in `directory` are to have; undefined where there is none, as on a machine that
 * only runs the application.
 *
 * @param areRequired whether a table without triggers fails the checklist; then there must be a project
 * @throws AuditError `AUDIT_INVALID_OPTIONS` when the options can't be used, `AUDIT_CLI` when a project that has to be
 *   there can't be read
 */
export async function wantedTriggers(
  directory: string,
  {
    areRequired,
    ...given
  }: { areRequired: boolean; table?: string | undefined; schema?: string | undefined },
): Promise<WantedTriggers | undefined> {
  try {
    const { wanted, migrations, log, defaultSchema } = await readAuditedProject(directory, given)
    const history = new MigrationHistory(migrations, log, defaultSchema)
    return { tables: withRecordedOrigin(wanted, history), areRequired }
  } catch (error) {
    const isOptional = !areRequired && given.schema === undefined
    if (isOptional && error instanceof AuditError && error.code === 'AUDIT_CLI') return undefined
    throw error
  }
}

/** The checklist for people to read. */
export function describeStatus(
  { ok, checks, entries, readers, verification }: Status,
  { colors }: { colors: boolean },
): string {
  const marks = { ok: ['green', '✔'], warning: ['yellow', '!'], missing: ['red', '✘'] } as const
  const lines = checks.map(({ state, message }) => {
    const [color, mark] = marks[state]
    // the command decides on colours, for the stream that it writes to.
    return `${colors ? styleText(color, mark, { validateStream: false }) : mark} ${message}`
  })
  if (entries) lines.push(`  ${describeEntries(entries)}`)
  if (readers) lines.push(...describeReaders(readers).map((line) => `  ${line}`))
  if (verification) lines.push(`  ${describeStored(verification)}`)
  lines.push('', ok ? 'The audit log is in place.' : 'The audit log is not in place: see the lines marked ✘.')
  return `${lines.join('\n')}\n`
}

/** It is what somebody stored, and no proof: so the role that did is named. */
function describeStored(stored: StoredVerification): string {
  const { endedAt, result, size, entries, findings, anchored, role, sealedSince } = stored
  const said = {
    intact: 'nothing was altered',
    altered: `${findings} ${findings === 1 ? 'thing does' : 'things do'} not fit`,
    stopped: 'nothing was altered, and it was stopped before the end',
  }[result]
  const compared = `${entries} of ${countedEntries(size)} compared${anchored === null ? ', without an anchor' : `, ${anchored} anchored`}`
  return `last verified at ${endedAt} by role ${role}: ${said}; ${compared}; ${countedEntries(sealedSince)} sealed since`
}

function describeEntries({ count, exact, newest, retiredUntil }: EntryCount): string {
  const entries = `${exact ? '' : 'about '}${countedEntries(count)}`
  const dated = newest === null ? entries : `${entries}, the newest of ${newest}`
  if (retiredUntil === undefined) return dated
  return `${dated}, in the table; months before ${retiredUntil.slice(0, 7)} have left for the archive`
}
