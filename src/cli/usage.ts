import { AuditError } from '../errors.ts'
import { parseTableName, type TableName } from '../sql.ts'

/** What `--help` prints. */
export const usage = `Usage: prisma-extension-audit <command> [options]

Commands:
  init      Add the audit log to your Prisma schema and migrations
  status    Check the audit log in the database of DATABASE_URL
  ui        Show the audit log of DATABASE_URL as a web page on this machine

init:
  --table <name | schema.name>   Another table than audit_logs
  --model <Name>                 Another model name than AuditLog
  --schema <path>                Your Prisma schema, a file or a folder, where Prisma itself would not look
  --dry-run                      Print what would be written, write nothing

status:
  --table <name | schema.name>   Another table than audit_logs
  --json                         Print the checks as JSON
  Exit code: 0 everything required is there, 1 something is missing, 2 wrong usage

ui:
  --port <number>                Another port than 4477
  --host <address>               Another address than 127.0.0.1; visitors then need a token
  --token <text>                 The token, 16 characters or more; without it, one is made and printed
  --table <name | schema.name>   Another table than audit_logs
  It only reads. Ctrl-C ends it. Exit code: 0 ended, 1 the log can't be read or the port is taken, 2 wrong usage

  -h, --help                     Print this text
  -v, --version                  Print the version
`

/** The arguments can't be used: the caller typed something wrong, nothing else is. */
export class UsageError extends AuditError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('AUDIT_CLI', message, options)
  }
}

/** Reads `--table`; without it, the table of the shipped migration. */
export function tableOption(text = 'audit_logs'): TableName {
  try {
    return parseTableName(text)
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
