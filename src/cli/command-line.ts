import { type ParseArgsConfig, parseArgs } from 'node:util'
import { AuditError } from '../errors.ts'
import type { AuditEntry } from '../log/entry.ts'
import { jsonLine } from '../log/json-line.ts'
import { describeArchive, listArchive, printArchiveDdl, restoreArchived } from './archive.ts'
import { configuredTable } from './audit-config.ts'
import { databaseUrl } from './database-url.ts'
import { type ExportFormat, exportEntries, exportFormats } from './export.ts'
import { openExportFile } from './export-file.ts'
import { countOption, filterOf, filterOptions, flagOption, textOption } from './filter-options.ts'
import { readHistory } from './history.ts'
import { describePlan, planInit } from './init.ts'
import { describeKeys, writeKeys } from './keygen.ts'
import { convertProjectLog, describeMaintenance, maintainProjectLog } from './maintain.ts'
import { writeFiles } from './planned-files.ts'
import { progressBar } from './progress-bar.ts'
import { parseSubject, reportFormats, writeReport } from './report.ts'
import { reportForms } from './report-forms.ts'
import { describeSealing, sealLog } from './seal.ts'
import { describeMetrics, shipLog } from './ship.ts'
import { packageVersion } from './shipped.ts'
import { showEntry } from './show-entries.ts'
import { describeStatus, readStatus, wantedTriggers } from './status.ts'
import { tail } from './tail.ts'
import { describeCheck, describeTriggers, planTriggers, printTriggers } from './triggers.ts'
import { startWebPage } from './ui.ts'
import { UsageError, usage } from './usage.ts'
import { describeProof, describeVerification, verifyProject, verifyProof } from './verify.ts'
import { describeArchives, verifyArchives } from './verify-archive.ts'

/** The shell's code for a command that Ctrl-C ended. */
const interruptedCode = 130

/**
 * Runs a command line: prints what it has to say, errors too, on the streams of the process. Nothing else prints or decides how
 * the process ends.
 *
 * @returns the exit code: 0 fine, 1 not fine, 2 used wrongly
 */
export async function runCommandLine(args: string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    const known = error instanceof AuditError
    note(known ? error.message : error instanceof Error ? String(error.stack) : String(error))
    if (!isMisuse(error)) return 1
    note('See: npx prisma-extension-audit --help')
    return 2
  }
}

async function run([command, ...args]: string[]): Promise<number> {
  if ([command, ...args].some((arg) => arg === '--help' || arg === '-h')) return print(usage)
  switch (command) {
    case '--version':
    case '-v':
      return print(`${await packageVersion()}\n`)
    case 'init':
      return init(args)
    case 'triggers':
      return triggers(args)
    case 'status':
      return status(args)
    case 'ui':
      return ui(args)
    case 'history':
      return history(args)
    case 'tail':
      return follow(args)
    case 'export':
      return exportLog(args)
    case 'report':
      return accessReport(args)
    case 'ship':
      return ship(args)
    case 'seal':
      return seal(args)
    case 'verify':
      return verifySeals(args)
    case 'verify-proof':
      return checkProofFile(args)
    case 'keygen':
      return keygen(args)
    case 'partition':
      return partition(args)
    case 'maintain':
      return maintain(args)
    case 'archive':
      return archive(args)
    case 'verify-archive':
      return compareArchives(args)
    case undefined:
      throw new UsageError('No command given.')
    default:
      throw new UsageError(`Unknown command: ${command}`)
  }
}

async function init(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    model: textOption,
    schema: textOption,
    origin: flagOption,
    partitioned: flagOption,
    'no-triggers': flagOption,
    'dry-run': flagOption,
  })
  const plan = await planInit({
    ...options,
    directory: process.cwd(),
    triggers: options['no-triggers'] !== true,
  })
  const dryRun = options['dry-run'] ?? false
  if (!dryRun) await writeFiles(plan.writes)
  return print(describePlan(plan, { contents: dryRun }))
}

async function triggers(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    schema: textOption,
    origin: flagOption,
    check: flagOption,
    print: flagOption,
    json: flagOption,
  })
  const given = { ...options, directory: process.cwd() }
  if (options.print) {
    if (options.check || options.json) throw new UsageError('--print goes without --check and --json.')
    return print(await printTriggers(given))
  }
  const plan = await planTriggers(given)
  const { changes, notes } = plan
  const ok = changes.length === 0
  if (options.check) {
    print(options.json ? jsonText({ ok, changes, notes }) : describeCheck(plan))
    return ok ? 0 : 1
  }
  await writeFiles(plan.writes)
  const written = plan.writes.map(({ path }) => path)
  return print(options.json ? jsonText({ written, changes, notes }) : describeTriggers(plan))
}

async function status(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    schema: textOption,
    check: flagOption,
    json: flagOption,
  })
  const table = await logTable(options.table)
  const wanted = await wantedTriggers(process.cwd(), {
    ...{ table, schema: options.schema, areRequired: options.check ?? false },
  })
  const found = await readStatus(await databaseUrl(process.cwd()), table, wanted)
  print(options.json ? jsonText(found) : describeStatus(found, { colors: hasColors() }))
  return found.ok ? 0 : 1
}

async function ui(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    port: textOption,
    host: textOption,
    token: textOption,
    table: textOption,
  })
  const server = await startWebPage(await databaseUrl(process.cwd()), {
    ...options,
    table: await logTable(options.table),
    onError: (error) => process.stderr.write(`${error}\n`),
  })
  print(server.greeting)
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await server.close()
  return 0
}

async function history(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    table: textOption,
    limit: textOption,
    json: flagOption,
  })
  const [model, id, ...others] = positionals
  if (model === undefined || id === undefined || others.length > 0) {
    throw new UsageError('history takes a model and an id: history User 42')
  }
  const limit = countOption('limit', values.limit, 50)
  const table = await logTable(values.table)
  for (const entry of await readHistory(model, id, { table, limit }, note)) {
    print(show(entry, values.json))
  }
  return 0
}

async function accessReport(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...{ subject: textOption, format: textOption, output: textOption, table: textOption },
    ...{ force: flagOption, json: flagOption },
  })
  const subject = parseSubject(options.subject)
  const format = reportFormats.find((one) => one === (options.format ?? (options.json ? 'json' : 'html')))
  if (!format) throw new UsageError(`--format: ${options.format} is not ${reportFormats.join(' or ')}.`)
  const table = await logTable(options.table)
  const { output } = options
  const file =
    output === undefined ? undefined : await openExportFile(output, options.force ? 'overwrite' : 'new')
  try {
    const count = await writeReport(subject, file?.stream ?? process.stdout, reportForms[format], table)
    if (file) note(`${output}: ${count} ${count === 1 ? 'entry' : 'entries'}`)
  } catch (error) {
    await file?.abandon()
    throw error
  }
  await file?.close()
  return 0
}

async function follow(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...filterOptions,
    follow: { type: 'boolean', short: 'f' },
    limit: textOption,
  })
  const { json, follow = false } = options
  const table = await logTable(options.table)
  const count = countOption('limit', options.limit, 10)
  const signal = untilInterrupted()
  await tail(filterOf(options), { table, count, follow, signal }, (entry) => print(show(entry, json)), note)
  return 0
}

async function exportLog(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...filterOptions,
    format: textOption,
    output: textOption,
    force: flagOption,
    cursor: textOption,
  })
  const { cursor, format = options.json ? 'ndjson' : 'csv' } = options
  if (!exportFormats.some((one) => one === format)) {
    throw new UsageError(`--format must be ${exportFormats.join(' or ')}, and is ${JSON.stringify(format)}.`)
  }
  const table = await logTable(options.table)
  const mode = cursor !== undefined ? 'continue' : options.force ? 'overwrite' : 'new'
  const file = options.output ? await openExportFile(options.output, mode) : undefined
  const bar = progressBar(process.stderr)
  const empty: string[] = []
  const done = await exportEntries(filterOf(options), file?.stream ?? process.stdout, {
    ...{ table, cursor, format: format as ExportFormat, signal: untilInterrupted() },
    onProgress: bar.update,
    onEmpty: (text) => empty.push(text),
  }).catch(async (error: unknown) => {
    await file?.abandon()
    throw error
  })
  bar.end()
  empty.forEach(note)
  await file?.close()
  if (done.cursor === null) return 0
  process.stderr.write(`Stopped after ${done.written} entries. Go on with: --cursor ${done.cursor}\n`)
  return interruptedCode
}

async function ship(args: string[]): Promise<number> {
  const options = parseOptions(args, { table: textOption, once: flagOption, json: flagOption })
  const { table, once = false, json } = options
  const signal = untilInterrupted('SIGTERM')
  const metrics = await shipLog(process.cwd(), { table, once, signal }, note)
  print(json ? jsonText(metrics) : describeMetrics(metrics))
  return once && metrics.some(({ lag }) => lag.entries > 0) ? interruptedCode : 0
}

async function seal(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    once: flagOption,
    tiles: textOption,
    json: flagOption,
  })
  const { table, once = false, tiles, json } = options
  const signal = untilInterrupted('SIGTERM')
  const result = await sealLog(process.cwd(), { table, once, tiles, signal }, note)
  print(json ? jsonText(result) : describeSealing(result))
  return once && signal.aborted ? interruptedCode : 0
}

async function verifySeals(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    key: textOption,
    origin: textOption,
    since: textOption,
    anchor: { type: 'string', multiple: true },
    json: flagOption,
  })
  const { key, origin, json, anchor: anchors = [] } = options
  const since = options.since === undefined ? undefined : countOption('since', options.since, 0)
  const bar = progressBar(process.stderr)
  const found = await verifyProject(process.cwd(), {
    ...{ table: await logTable(options.table), key, origin, anchors, signal: untilInterrupted() },
    ...(since === undefined ? {} : { since }),
    onProgress: ({ done, total }) => bar.update({ written: done, fraction: done / Math.max(total, 1) }),
  })
  bar.end()
  print(json ? jsonText(found) : describeVerification(found))
  if (!found.ok) return 1
  if (found.isComplete) return 0
  const { verifiedUntil } = found
  note(
    verifiedUntil
      ? `Stopped. Go on with: --since ${verifiedUntil.number}`
      : 'Stopped before the first checkpoint',
  )
  return interruptedCode
}

async function checkProofFile(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments(args, { key: textOption, json: flagOption })
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0) {
    throw new UsageError('verify-proof takes a file: verify-proof entry.json --key audit.pub')
  }
  const checked = await verifyProof(process.cwd(), file, values.key)
  if (!values.json) print(describeProof(checked))
  else if (!checked.ok) print(jsonText(checked))
  else {
    const { entry, index, checkpoint, signedBy } = checked
    print(
      jsonText({
        ...{ ok: true, index, entry, signedBy: `${signedBy.name}+${signedBy.id}` },
        checkpoint: { ...checkpoint, root: checkpoint.root.toString('base64') },
      }),
    )
  }
  return checked.ok ? 0 : 1
}

async function keygen(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments(args, { output: textOption, json: flagOption })
  const [name, ...others] = positionals
  if (name === undefined || others.length > 0) {
    throw new UsageError('keygen takes the name of the key: keygen example.com/audit')
  }
  const keys = await writeKeys(name, values.output ?? 'audit')
  return print(values.json ? jsonText(keys) : describeKeys(keys))
}

async function partition(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    schema: textOption,
    convert: flagOption,
    'dry-run': flagOption,
  })
  const dryRun = options['dry-run'] ?? false
  if (options.convert) {
    if (dryRun || options.schema) throw new UsageError('--convert goes without --dry-run and --schema.')
    return print(await convertProjectLog(process.cwd(), await logTable(options.table), note))
  }
  const plan = await planInit({
    ...options,
    directory: process.cwd(),
    triggers: false,
    partitioned: true,
  })
  if (!dryRun) await writeFiles(plan.writes)
  return print(describePlan(plan, { contents: dryRun }))
}

async function maintain(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    since: textOption,
    'dry-run': flagOption,
    json: flagOption,
  })
  const isDryRun = options['dry-run'] ?? false
  const table = await logTable(options.table)
  const given = { table, isDryRun, since: options.since, signal: untilInterrupted('SIGTERM') }
  const actions = await maintainProjectLog(process.cwd(), given, note)
  return print(options.json ? jsonText({ isDryRun, actions }) : describeMaintenance(actions, { isDryRun }))
}

async function compareArchives(args: string[]): Promise<number> {
  const options = parseOptions(args, { table: textOption, sink: textOption, json: flagOption })
  const { table, sink, json } = options
  const signal = untilInterrupted()
  const bar = progressBar(process.stderr)
  try {
    const found = await verifyArchives(process.cwd(), {
      ...{ table, sink, signal },
      onProgress: ({ entries, fraction }) => bar.update({ written: entries, fraction }),
    })
    bar.end()
    print(json ? jsonText(found) : describeArchives(found, { colors: hasColors() }))
    return found.ok ? 0 : 1
  } catch (error) {
    bar.end()
    if (!signal.aborted) throw error
    note('Stopped. Nothing is known of what was not compared.')
    return interruptedCode
  }
}

async function archive(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    table: textOption,
    ddl: textOption,
    restore: textOption,
    json: flagOption,
  })
  const table = await logTable(options.table)
  const directory = process.cwd()
  if (options.ddl !== undefined) return print(await printArchiveDdl(directory, table, options.ddl))
  if (options.restore !== undefined) return print(await restoreArchived(directory, table, options.restore))
  const months = await listArchive(table)
  return print(options.json ? jsonText(months) : describeArchive(months))
}

/** The table that `--table` names, or else the options of the project in the current folder. */
function logTable(given: string | undefined): Promise<string | undefined> {
  return configuredTable(process.cwd(), given)
}

function show(entry: AuditEntry, json: boolean | undefined): string {
  return json ? jsonLine(entry) : showEntry(entry, { colors: hasColors() })
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function hasColors(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR
}

/** Aborts at the first Ctrl-C; the second ends the process as usual. */
function untilInterrupted(...others: NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT' as const, ...others]) process.once(signal, () => controller.abort())
  return controller.signal
}

function parseOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  const { values, positionals } = parseArguments(args, options)
  if (positionals.length > 0) throw new UsageError(`Unexpected argument: ${positionals[0]}`)
  return values
}

function parseArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (cause) {
    throw new UsageError(firstSentence(cause))
  }
}

/** What `parseArgs` says, in one sentence. */
function firstSentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/(?<=.)\. .*$/s, '.')
}

function print(output: string): 0 {
  process.stdout.write(output)
  return 0
}

/** Beside the output, which others may read. */
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function isMisuse(error: unknown): boolean {
  const codes: readonly string[] = ['AUDIT_INVALID_FILTER', 'AUDIT_INVALID_CURSOR']
  return error instanceof UsageError || (error instanceof AuditError && codes.includes(error.code))
}
