/** What `--help` prints of one command. */
interface CommandHelp {
  /** What it does, in lines of up to 112 characters. */
  readonly does: readonly string[]
  /** What it takes besides options. */
  readonly takes?: string
  readonly options: readonly (readonly [option: string, ...meaning: string[]])[]
  readonly notes?: readonly string[]
}

const table = ['--table <name | schema.name>', 'Another table than audit_logs'] as const
const schema = [
  '--schema <path>',
  'Your Prisma schema, a file or a folder, where Prisma itself would not look',
] as const
const origin = [
  '--origin',
  'Triggers that stay silent in a session that replicates',
  '(session_replication_role = replica)',
] as const
const dryRun = ['--dry-run', 'Print what would be written, write nothing'] as const
const jsonLines = ['--json', 'A line of JSON for each entry'] as const
const output = [
  '--output <file>',
  'Instead of the standard output; a file that is there is left alone',
] as const
const force = ['--force', 'Overwrite it'] as const

const filters: CommandHelp['options'] = [
  ['--action <pattern>', 'order.update, user.*, *.export; several times for any of them'],
  ['--actor <id>', 'Who'],
  ['--resource <type | type:id>', 'What: order, or one record, order:42'],
  ['--outcome success | failure'],
  ['--changed <field>', 'Updates that changed this field'],
  ['--request, --organization, --transaction <id>'],
  ['--from, --to <time>', 'ISO 8601; from inclusive, to exclusive'],
  table,
  jsonLines,
]

/** By the names of the commands, in the order in which people meet them. */
const commandHelp: Readonly<Record<string, CommandHelp>> = {
  init: {
    does: ['Add the audit log to your Prisma schema and migrations, with triggers for every model'],
    options: [
      table,
      ['--model <Name>', 'Another model name than AuditLog'],
      schema,
      ['--partitioned', 'The log as a table of months'],
      ['--no-triggers', 'Without triggers: only what an audited client does is recorded'],
      origin,
      dryRun,
    ],
  },
  triggers: {
    does: ['Write a migration with the triggers that have changed since'],
    options: [
      ['--check', 'Write nothing, say what differs from the schema and audit.config.ts'],
      [
        '--print',
        'Print the SQL for every model:',
        'npx prisma-extension-audit triggers --print | npx prisma db execute --stdin',
      ],
      table,
      schema,
      origin,
      ['--json', 'Print what was found as JSON'],
    ],
    notes: ['Exit code: 0 written, printed, or no difference; 1 --check found one; 2 wrong usage'],
  },
  status: {
    does: ['Check the audit log in the database of DATABASE_URL'],
    options: [
      table,
      [schema[0], `${schema[1]};`, 'its models are to have triggers'],
      ['--check', 'A table without triggers is a failure, too'],
      ['--json', 'Print the checks as JSON'],
    ],
    notes: ['Exit code: 0 everything required is there, 1 something is missing, 2 wrong usage'],
  },
  history: {
    does: ['What happened to one record: history User 42'],
    takes: '<Model> <id>',
    options: [['--limit <n>', 'At most so many entries, newest first (50)'], table, jsonLines],
    notes: [`A composite id is given as the log has it: '["42","en"]'`],
  },
  tail: {
    does: ['The newest entries; with -f also those that come'],
    options: [
      ['-f, --follow', 'Wait for more, until Ctrl-C'],
      ['--limit <n>', 'How many to begin with (10)'],
      ...filters,
    ],
  },
  export: {
    does: ['All entries as CSV or NDJSON'],
    options: [
      ['--format csv | ndjson', 'CSV, unless --json is given'],
      output,
      force,
      ['--cursor <cursor>', 'Go on where an export was interrupted, with the same filter'],
      ...filters,
    ],
    notes: ['Exit code: 130 when Ctrl-C ended it; the cursor to go on with is on the standard error'],
  },
  report: {
    does: [
      'Who saw, changed and exported one record, for the person it is about: report --subject Patient:42',
    ],
    options: [
      ['--subject <Model:id>', 'Which record; a composite id as the log has it'],
      ['--format html | json', 'HTML that prints well; JSON has the proof of each sealed entry'],
      output,
      force,
      table,
      ['--json', 'The same as --format json'],
    ],
  },
  ship: {
    does: ['Deliver the log to the sinks of audit.config.ts, and go on with what comes'],
    options: [
      ['--once', 'Deliver what is committed by now, then end'],
      table,
      ['--json', 'Print at the end how each sink does as JSON'],
    ],
    notes: [
      'Any number may run at once: for each sink one works. Errors are on the standard error, and what failed is tried again.',
      'Exit code: 0 ended by Ctrl-C or SIGTERM, or all delivered; 130 --once was ended before; 1 no sink or no database; 2 wrong usage',
    ],
  },
  seal: {
    does: ['Seal the log: a Merkle tree over its entries, and signed checkpoints'],
    options: [
      ['--once', 'Seal what is committed by now, then end'],
      ['--tiles <directory>', 'Write the tree there, too, as C2SP tlog-tiles'],
      table,
      ['--json', 'Print at the end what was sealed as JSON'],
    ],
    notes: [
      'Any number may run at once. The key is that of the option seal in audit.config.ts.',
      'Exit code: 0 ended by Ctrl-C or SIGTERM, or all sealed; 130 --once was ended before; 1 no key, no database, or the seals are',
      'broken; 2 wrong usage',
    ],
  },
  verify: {
    does: ['Compute everything anew from the rows, and name each that was altered'],
    options: [
      [
        '--key <file>',
        'Public keys, a line for each, from the oldest to the newest; without it, those of',
        'audit.config.ts',
      ],
      ['--since <number>', 'Take what this checkpoint covers as it is, and check what came later'],
      [
        '--anchor <place>',
        'Compare with the checkpoints that are kept there: file:PATH, s3://bucket/prefix, https://…,',
        'or the name of an anchor in audit.config.ts; as often as there are anchors',
      ],
      ['--origin <text>', 'The log that checkpoints have to be of; without it, that of the first one'],
      table,
      ['--json', 'Print what was found as JSON'],
    ],
    notes: [
      'The result is stored beside the seals, where the role may, for status and the page.',
      'Exit code: 0 everything fits; 1 something does not; 130 Ctrl-C ended it, and the --since to go on with is on the standard',
      'error; 2 wrong usage',
    ],
  },
  'verify-proof': {
    does: ['Check a proof of one entry, without a database'],
    takes: '<file>',
    options: [
      ['--key <file>', 'Public keys, a line for each; without it, those of audit.config.ts'],
      ['--json', 'Print what was found as JSON'],
    ],
    notes: [
      'Exit code: 0 the entry is in the log that the key signs for; 1 the proof does not show it; 2 wrong usage',
    ],
  },
  keygen: {
    does: ['Make a key for seals'],
    takes: '<name>',
    options: [
      ['--output <path>', 'What the two files are called, without .key and .pub (audit)'],
      ['--json', 'Print the files and the public key as JSON'],
    ],
  },
  partition: {
    does: ["Write a migration that makes the log a table of months, and change its model's key"],
    options: [
      [
        '--convert',
        'Make the log in the database of DATABASE_URL such a table, while others use it:',
        'for a large log, before the migration is applied',
      ],
      table,
      schema,
      dryRun,
    ],
  },
  maintain: {
    does: [
      'Create the months that come, archive those that are over, and take out of the table what has been there long',
      'enough; run it every day',
    ],
    options: [
      ['--since <YYYY-MM>', 'Create the months since then, for entries from elsewhere, and do nothing else'],
      ['--dry-run', 'Say what would be done, do nothing'],
      table,
      ['--json', 'Print what was done as JSON'],
    ],
    notes: [
      'What leaves the table, and when, says the option retention in audit.config.ts.',
      'The role has to own the table. Exit code: 0 done, or waiting for what it names; 1 refused; 2 wrong usage',
    ],
  },
  'verify-archive': {
    does: [
      'Compare what the sinks of audit.config.ts have stored with the log, byte for byte, and name files in the archive',
      'of months that are no part of it',
    ],
    options: [
      [
        '--sink <name>',
        'One sink; without it, all that can be read back, files and S3, and the archive of months',
      ],
      table,
      ['--json', 'Print what was found as JSON'],
    ],
    notes: [
      'Entries that are not shipped yet are no difference. Of each kind of difference the first 20 are listed, and all are counted.',
      "Exit code: 0 every sink's archive equals the log, 1 one does not, or can't be read, 2 wrong usage, 130 ended by Ctrl-C",
    ],
  },
  archive: {
    does: ['List what is in the archive, or restore a month of it'],
    options: [
      [
        '--ddl athena | trino | spark | clickhouse | duckdb',
        'Print the statements with which an engine reads the files',
      ],
      [
        '--restore <YYYY-MM>',
        'Bring a month back into the table; maintain takes it out again, unless the policy keeps it',
      ],
      table,
      ['--json', 'Print the list as JSON'],
    ],
    notes: ['The role has to own the table for --restore. Exit code: 0 done, 1 refused, 2 wrong usage'],
  },
  ui: {
    does: ['Show the audit log of DATABASE_URL as a web page on this machine'],
    options: [
      ['--port <number>', 'Another port than 4477'],
      ['--host <address>', 'Another address than 127.0.0.1; visitors then need a token'],
      ['--token <text>', 'The token, 16 characters or more; without it, one is made and printed'],
      table,
    ],
    notes: [
      "It only reads. Ctrl-C ends it. Exit code: 0 ended, 1 the log can't be read or the port is taken, 2 wrong usage",
    ],
  },
}

/** What `--help` prints without a command. */
export const usage = `Usage: prisma-extension-audit <command> [options]

Commands:
${Object.entries(commandHelp)
  .map(([name, { does }]) => helpRow(name, does, 16))
  .join('')}
The options in audit.config.ts hold for every command.

  <command> --help               Print the options of a command
  -v, --version                  Print the version
`

/** What `--help` prints behind the name of a command; undefined where there is none of that name. */
export function helpOf(name: string): string | undefined {
  const help = Object.hasOwn(commandHelp, name) ? commandHelp[name] : undefined
  if (!help) return undefined
  const { does, takes, options, notes = [] } = help
  const head = ['Usage: prisma-extension-audit', name, ...(takes ? [takes] : []), '[options]'].join(' ')
  const rows = options.map(([option, ...meaning]) => helpRow(option, meaning, 31)).join('')
  return `${head}\n\n${does.join('\n')}\n\n${rows}${notes.map((note) => `\n${note}`).join('')}${notes.length > 0 ? '\n' : ''}`
}

/** The names of all commands that have help. */
export const documentedCommands = Object.keys(commandHelp)

/** A name and what it means, in two columns; a name that is too long for the first has a line of its own. */
function helpRow(name: string, [first = '', ...more]: readonly string[], width: number): string {
  const margin = ' '.repeat(width + 2)
  const isShort = name.length < width
  const head = isShort ? `  ${name.padEnd(width)}${first}` : `  ${name}\n${margin}${first}`
  return `${[head.trimEnd(), ...more.map((line) => `${margin}${line}`)].join('\n')}\n`
}
