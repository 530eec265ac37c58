import { AuditError } from '../errors.ts'
import type { Command } from './command.ts'
import archive from './commands/archive.ts'
import exportLog from './commands/export.ts'
import history from './commands/history.ts'
import init from './commands/init.ts'
import keygen from './commands/keygen.ts'
import maintain from './commands/maintain.ts'
import partition from './commands/partition.ts'
import report from './commands/report.ts'
import seal from './commands/seal.ts'
import ship from './commands/ship.ts'
import status from './commands/status.ts'
import tail from './commands/tail.ts'
import triggers from './commands/triggers.ts'
import ui from './commands/ui.ts'
import verify from './commands/verify.ts'
import verifyArchive from './commands/verify-archive.ts'
import verifyProof from './commands/verify-proof.ts'
import { helpOf, usage } from './help.ts'
import { forgetInterruptions } from './interruption.ts'
import { note, print } from './output.ts'
import { packageVersion } from './shipped.ts'
import { UsageError } from './usage.ts'

/** By their names on the command line, one file each. */
export const commands: Readonly<Record<string, Command>> = {
  init,
  triggers,
  status,
  history,
  tail,
  export: exportLog,
  report,
  ship,
  seal,
  verify,
  'verify-proof': verifyProof,
  keygen,
  partition,
  maintain,
  'verify-archive': verifyArchive,
  archive,
  ui,
}

/**
 * Runs a command line: prints what it has to say, errors too, on the streams of the process. Nothing but it and the commands
 * prints or decides how the process ends.
 *
 * @returns the exit code: 0 fine, 1 not fine, 2 used wrongly, 130 ended by Ctrl-C
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
  } finally {
    forgetInterruptions()
  }
}

async function run(args: string[]): Promise<number> {
  const [name, ...rest] = args
  const isAsking = args.some((arg) => arg === '--help' || arg === '-h')
  if (isAsking) return print(helpOf(name ?? '') ?? usage)
  if (name === undefined) throw new UsageError('No command given.')
  if (name === '--version' || name === '-v') return print(`${await packageVersion()}\n`)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new UsageError(`Unknown command: ${name}`)
  return command(rest)
}

function isMisuse(error: unknown): boolean {
  const codes: readonly string[] = ['AUDIT_INVALID_FILTER', 'AUDIT_INVALID_CURSOR']
  return error instanceof UsageError || (error instanceof AuditError && codes.includes(error.code))
}
