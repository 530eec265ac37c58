import { styleText } from 'node:util'
import {
  type ArchiveReport,
  archiveDifferences,
  type DifferentEntry,
  type Findings,
} from '../archive/archive-report.ts'
import { type ComparisonOptions, isArchiving, verifySink } from '../archive/verify-sink.ts'
import { AuditError } from '../errors.ts'
import { archiveFaults, type Sink } from '../sink.ts'
import { loadAuditConfig } from './audit-config.ts'
import { retentionIn, sinksIn, withoutSinks } from './config-options.ts'
import { withReaderLog } from './open-log.ts'
import { quantity } from './quantity.ts'
import { describeUnlisted, findUnlisted, type UnlistedFindings } from './unlisted-files.ts'
import { tableOption, UsageError } from './usage.ts'

/** What `verify-archive` found. */
export interface ArchiveVerification {
  /** Every archive equals the log, and nothing is wrong with it. */
  readonly ok: boolean
  readonly archives: readonly ArchiveReport[]
  /** Names of sinks that can't be read back. */
  readonly notReadable: readonly string[]
  /** Of the archive of months; left out where there is none, or where one sink is verified. */
  readonly unlisted?: UnlistedFindings
}

/**
 * Compares the archives of the project in `directory` with its log.
 *
 * @param sink the name of the one to verify; undefined for all
 * @throws AuditError `AUDIT_CLI` where there is no archive or no database, `AUDIT_ARCHIVE_UNREADABLE` where one can't be read;
 *   the reason of `signal` once it is aborted
 */
export async function verifyArchives(
  directory: string,
  { table, sink, ...options }: ComparisonOptions & { table: string | undefined; sink: string | undefined },
): Promise<ArchiveVerification> {
  const config = await loadAuditConfig(directory)
  const configured = sinksIn(config)
  const months = sink === undefined ? retentionIn(config)?.archive : undefined
  if (configured.length === 0 && !months) throw withoutSinks(config, 'there is no archive to verify')
  const sinks = namedSinks(configured, sink)
  const archiving = sinks.filter(isArchiving)
  const notReadable = sinks.filter((one) => !isArchiving(one)).map(({ name }) => name)
  if (archiving.length === 0 && !months) throw notArchiving(notReadable, sink)
  return withReaderLog(directory, tableOption(table ?? config.options.table), async (log) => {
    const archives: ArchiveReport[] = []
    try {
      for (const one of archiving) archives.push(await verifySink(log, one, options))
    } finally {
      await Promise.all(sinks.map((one) => one.close?.()))
    }
    const ok = archives.every((report) => report.ok)
    const signal = options.signal ?? new AbortController().signal
    return { ok, archives, notReadable, ...(months && { unlisted: await findUnlisted(log, months, signal) }) }
  })
}

function namedSinks(sinks: readonly Sink[], name: string | undefined): readonly Sink[] {
  if (name === undefined) return sinks
  const named = sinks.filter((sink) => sink.name === name)
  if (named.length > 0) return named
  throw new UsageError(
    `--sink: there is no sink ${JSON.stringify(name)}. There is: ${sinks.map((sink) => sink.name).join(', ')}.`,
  )
}

function notArchiving(names: readonly string[], given: string | undefined): AuditError {
  const message = `Nothing can be read back from ${names.join(', ')}, so there is no archive to verify. Files and S3 can be read back.`
  return given === undefined ? new AuditError('AUDIT_CLI', message) : new UsageError(message)
}

/** For people to read. */
export function describeArchives(
  { archives, notReadable, unlisted }: ArchiveVerification,
  { colors }: { colors: boolean },
): string {
  const lines = archives.flatMap((report) => describeReport(report, colors))
  const others = notReadable.map((name) => `  ${name}: not verified, as nothing can be read back from it`)
  return `${[...lines, ...others, ...(unlisted ? describeUnlisted(unlisted) : [])].join('\n')}\n`
}

function describeReport(report: ArchiveReport, colors: boolean): string[] {
  const { sink, place, ok, entries, differences, faults, notes } = report
  const mark = ok ? '✔' : '✘'
  // the command decides on colours, for the stream that it writes to
  const shown = colors ? styleText(ok ? 'green' : 'red', mark, { validateStream: false }) : mark
  const { equal, notShipped, erased, superseded } = entries
  return [
    `${shown} ${sink}, ${place}: ${ok ? 'equals the log' : 'is not as it has to be'}`,
    `  ${quantity(equal, 'entry', 'entries')} equal, byte for byte`,
    ...(notShipped > 0 ? [`  ${quantity(notShipped, 'entry', 'entries')} not shipped yet`] : []),
    ...(erased > 0
      ? [`  ${quantity(erased, 'entry', 'entries')} erased from the log, with all values in the archive`]
      : []),
    ...(superseded > 0
      ? [
          `  ${quantity(superseded, 'entry', 'entries')} in the archive alone, stored before the log was restored`,
        ]
      : []),
    ...kindsOf(differences, archiveDifferences, 'entries', describeDifference),
    ...kindsOf(faults, archiveFaults, 'objects and files', ({ message }) => message),
    ...notes.map((note) => `  ${note}`),
  ]
}

/** A line for each kind, and under it the first that were found. */
function kindsOf<Kind extends string, Found extends { readonly kind: Kind }>(
  { kinds, first }: Findings<Kind, Found>,
  meanings: Readonly<Record<Kind, string>>,
  what: string,
  describe: (found: Found) => string,
): string[] {
  return (Object.keys(meanings) as Kind[]).flatMap((kind) => {
    const count = kinds[kind]
    if (count === 0) return []
    const shown = first.filter((found) => found.kind === kind)
    return [
      `  ${kind} ${what}: ${count.toLocaleString('en')} (${meanings[kind]})`,
      ...shown.map((found) => `    ${describe(found)}`),
      ...(count > shown.length ? [`    … and ${(count - shown.length).toLocaleString('en')} more`] : []),
    ]
  })
}

function describeDifference({ id, seq, timestamp, action, place, columns }: DifferentEntry): string {
  const entry = id === null ? [] : [`${action} of ${timestamp}, seq ${seq}, id ${id}`]
  const differing = columns.length > 0 ? [`differs in ${columns.join(', ')}`] : []
  return [...entry, ...differing, ...(place === null ? [] : [place])].join('; ')
}
