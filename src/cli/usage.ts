import { AuditError } from '../errors.ts'
import { parseTableName, type TableName } from '../postgres/identifiers.ts'

/** What `--help` prints. */
export const usage = `Usage: prisma-extension-audit <command> [options]

Commands:
  init      Add the audit log to your Prisma schema and migrations, with triggers for every model
  triggers  Write a migration with the triggers that have changed since
  status    Check the audit log in the database of DATABASE_URL
  history   What happened to one record: history User 42
  tail      The newest entries; with -f also those that come
  export    All entries as CSV or NDJSON
  report    Who saw, changed and exported one record, for the person it is about: report --subject Patient:42
  ship      Deliver the log to the sinks of audit.config.ts, and go on with what comes
  seal      Seal the log: a Merkle tree over its entries, and signed checkpoints
  verify    Compute everything anew from the rows, and name each that was altered
  verify-proof  Check a proof of one entry, without a database
  keygen    Make a key for seals
  partition Write a migration that makes the log a table of months, and change its model's key
  maintain  Create the months that come, archive those that are over, and take out of the table what has been there long enough;
            run it every day
  verify-archive
            Compare what the sinks of audit.config.ts have stored with the log, byte for byte
  archive   List what is in the archive, or restore a month of it
  ui        Show the audit log of DATABASE_URL as a web page on this machine

init:
  --table <name | schema.name>   Another table than audit_logs
  --model <Name>                 Another model name than AuditLog
  --schema <path>                Your Prisma schema, a file or a folder, where Prisma itself would not look
  --partitioned                  The log as a table of months
  --no-triggers                  Without triggers: only what an audited client does is recorded
  --origin                       Triggers that stay silent in a session that replicates
                                 (session_replication_role = replica)
  --dry-run                      Print what would be written, write nothing

triggers:
  --check                        Write nothing, say what differs from the schema and audit.config.ts
  --print                        Print the SQL for every model:
                                 triggers --print | npx prisma db execute --stdin
  --table, --schema, --origin    As above
  --json                         Print what was found as JSON
  Exit code: 0 written, printed, or no difference; 1 --check found one; 2 wrong usage

status:
  --table <name | schema.name>   Another table than audit_logs
  --schema <path>                Your Prisma schema, as above; its models are to have triggers
  --check                        A table without triggers is a failure, too
  --json                         Print the checks as JSON
  Exit code: 0 everything required is there, 1 something is missing, 2 wrong usage

history <Model> <id>:
  --limit <n>                    At most so many entries, newest first (50)
  --table, --json                As above; a composite id as the log has it: '["42","en"]'

tail, export:
  --action <pattern>             order.update, user.*, *.export; several times for any of them
  --actor <id>                   Who
  --resource <type | type:id>    What: order, or one record, order:42
  --outcome success | failure
  --changed <field>              Updates that changed this field
  --request, --organization, --transaction <id>
  --from, --to <time>            ISO 8601; from inclusive, to exclusive
  --table <name | schema.name>   Another table than audit_logs
  --json                         A line of JSON for each entry

tail:
  -f, --follow                   Wait for more, until Ctrl-C
  --limit <n>                    How many to begin with (10)

export:
  --format csv | ndjson          CSV, unless --json is given
  --output <file>                Instead of the standard output; a file that is there is left alone
  --force                        Overwrite it
  --cursor <cursor>              Go on where an export was interrupted, with the same filter
  Exit code: 130 when Ctrl-C ended it; the cursor to go on with is on the standard error

report:
  --subject <Model:id>           Which record; a composite id as the log has it
  --format html | json           HTML that prints well; JSON has the proof of each sealed entry
  --output <file>                Instead of the standard output; a file that is there is left alone, without --force
  --table, --json                As above; --json is --format json

ship:
  --once                         Deliver what is committed by now, then end
  --table <name | schema.name>   Another table than audit_logs
  --json                         Print at the end how each sink does as JSON
  Any number may run at once: for each sink one works. Errors are on the standard error, and what failed is tried again.
  Exit code: 0 ended by Ctrl-C or SIGTERM, or all delivered; 130 --once was ended before; 1 no sink or no database; 2 wrong usage

seal:
  --once                         Seal what is committed by now, then end
  --tiles <directory>            Write the tree there, too, as C2SP tlog-tiles
  --table, --json                As above
  Any number may run at once. The key is that of the option seal in audit.config.ts.
  Exit code: 0 ended by Ctrl-C or SIGTERM, or all sealed; 130 --once was ended before; 1 no key, no database, or the seals are
  broken; 2 wrong usage

verify:
  --key <file>                   Public keys, a line for each, from the oldest to the newest; without it, those of audit.config.ts
  --since <number>               Take what this checkpoint covers as it is, and check what came later
  --anchor <place>               Compare with the checkpoints that are kept there: file:PATH, s3://bucket/prefix, https://…, or the
                                 name of an anchor in audit.config.ts; as often as there are anchors
  --origin <text>                The log that checkpoints have to be of; without it, that of the first one
  --table, --json                As above
  The result is stored beside the seals, where the role may, for status and the page.
  Exit code: 0 everything fits; 1 something does not; 130 Ctrl-C ended it, and the --since to go on with is on the standard error;
  2 wrong usage

verify-proof <file>:
  --key, --json                  As above
  Exit code: 0 the entry is in the log that the key signs for; 1 the proof does not show it; 2 wrong usage

keygen <name>:
  --output <path>                What the two files are called, without .key and .pub (audit)
  --json                         Print the files and the public key as JSON

partition:
  --convert                      Make the log in the database of DATABASE_URL such a table, while others use it:
                                 for a large log, before the migration is applied
  --table, --schema, --dry-run   As above

maintain:
  --since <YYYY-MM>              Create the months since then, for entries from elsewhere, and do nothing else
  --dry-run                      Say what would be done, do nothing
  --table <name | schema.name>   Another table than audit_logs
  --json                         Print what was done as JSON
  What leaves the table, and when, says the option retention in audit.config.ts.
  The role has to own the table. Exit code: 0 done, 1 refused, 2 wrong usage

verify-archive:
  --sink <name>                  One sink; without it, all that can be read back: files and S3
  --table <name | schema.name>   Another table than audit_logs
  --json                         Print what was found as JSON
  Entries that are not shipped yet are no difference. Of each kind of difference the first 20 are listed, and all are counted.
  Exit code: 0 every archive equals the log, 1 one does not, or can't be read, 2 wrong usage, 130 ended by Ctrl-C

archive:
  --ddl athena | trino | spark | clickhouse | duckdb
                                 Print the statements with which an engine reads the files
  --restore <YYYY-MM>            Bring a month back into the table; maintain takes it out again, unless the policy keeps it
  --table, --json                As above
  The role has to own the table for --restore. Exit code: 0 done, 1 refused, 2 wrong usage

ui:
  --port <number>                Another port than 4477
  --host <address>               Another address than 127.0.0.1; visitors then need a token
  --token <text>                 The token, 16 characters or more; without it, one is made and printed
  --table <name | schema.name>   Another table than audit_logs
  It only reads. Ctrl-C ends it. Exit code: 0 ended, 1 the log can't be read or the port is taken, 2 wrong usage

The options in audit.config.ts hold for every command.

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
