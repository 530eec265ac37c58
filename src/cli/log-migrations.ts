import { internalSchema } from '../log/internal-schema.ts'
import { quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../postgres/identifiers.ts'
import { readShipped } from './shipped.ts'
import { UsageError } from './usage.ts'

/** One of the numbered migrations that make a log, written for its table. */
export interface LogMigration {
  /** What `audit_logs_version()` gives once it is in. */
  readonly number: number
  /** What its folder is called behind the time. */
  readonly name: string
  readonly sql: string
  /** Something that no other migration has, in each way to name the table that means this one. */
  readonly marks: readonly string[]
}

/** In their order: the first has the number 1. */
const shippedMigrations = (
  [
    { file: 'tableMigration', name: 'audit_log' },
    { file: 'functionsMigration', name: 'audit_log_functions' },
    { file: 'readersMigration', name: 'audit_log_readers' },
    { file: 'sealsMigration', name: 'audit_log_seals' },
    { file: 'partitionsMigration', name: 'audit_log_partitions' },
    { file: 'erasureMigration', name: 'audit_log_erasure' },
  ] as const
).map((one, index) => ({ ...one, number: index + 1 }))

/** Something that only the migration with this number has: the function that says it. */
function markOf(number: number, table: TableName): string {
  if (number === 1) {
    // it has none yet; this is the last thing that makes the table a log
    return `ALTER TABLE ${quoteTable(table)} ENABLE ALWAYS TRIGGER ${quoteIdentifier(`${table.name}_refuse_truncate`)}`
  }
  const name = quoteTable({ ...table, name: `${table.name}_version` })
  return `FUNCTION ${name}() RETURNS integer\nLANGUAGE sql IMMUTABLE PARALLEL SAFE\nAS E'SELECT ${number}'`
}

/** What the folders of those are called that came after the one with this number, in their order. */
export function logMigrationsAfter(version: number): string[] {
  return shippedMigrations.filter(({ number }) => number > version).map(({ name }) => name)
}

/** The number of the newest of them. */
export const newestLogMigration = shippedMigrations.length

/**
 * The migrations of a log in their order, written for its table.
 *
 * @throws UsageError when PostgreSQL would cut a name that derives from the table's, or a tool the file.
 */
export async function logMigrations(table: TableName): Promise<LogMigration[]> {
  const shipped = await Promise.all(shippedMigrations.map(({ file }) => readShipped(file)))
  refuseUnusableNames(table, shipped.join())
  return shippedMigrations.map(({ number, name }, index) => ({
    ...{ number, name },
    sql: renameTable(shipped[index] as string, table),
    marks: sameTableSpellings(table).map((spelling) => markOf(number, spelling)),
  }))
}

/** Every name of the shipped migrations begins with the table's: `"audit_logs"`, `"audit_logs_pkey"`, … */
const shippedName = /"audit_logs(\w*)"/g

/** Relations and functions can be named with their schema; indexes, constraints, triggers and schemas can't. */
const qualifiedSuffix =
  /^(?:|_immutable|_record|_iso|_version|_context|_next_context|_set_context|_watch|_unwatch)$/

/** The body of a function, a string in which quotes and backslashes are escaped. */
const functionBody = /(?<=AS )E'(?:''|[^'])*'/.source

function renameTable(shipped: string, table: TableName): string {
  const renamed = (suffix: string) => {
    if (suffix === '_internal') return quoteIdentifier(internalSchema(table))
    const name = table.name + suffix
    return qualifiedSuffix.test(suffix) ? quoteTable({ ...table, name }) : quoteIdentifier(name)
  }
  const renamedInside = (body: string) =>
    body.replace(shippedName, (_, suffix: string) => renamed(suffix).replace(/['\\]/g, '$&$&'))
  const renamedComment = (comment: string) =>
    comment.replace(/\baudit_logs(\w*)/g, (_, suffix: string) => readable(renamed(suffix)))
  const parts = new RegExp(`${functionBody}|^--.*|'audit_logs(\\w+)'|${shippedName.source}`, 'gm')
  const sql = shipped.replace(parts, (part, inLiteral?: string, inName?: string) => {
    if (inName !== undefined) return renamed(inName)
    if (inLiteral !== undefined) return quoteLiteral(table.name + inLiteral).trimStart()
    return part.startsWith('--') ? renamedComment(part) : renamedInside(part)
  })
  if (table.schema === undefined) return sql
  return sql.replace(
    'CREATE TABLE',
    () => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(table.schema ?? '')};\n\nCREATE TABLE`,
  )
}

/**
 * The migration that makes a log a table of months, for projects that want that. Where it is one already, it does nothing.
 */
export function partitionedMigration(table: TableName): Omit<LogMigration, 'number'> {
  const markOf = (spelling: TableName) =>
    `SELECT ${quoteIdentifier(internalSchema(table))}."partition_log"(${quoteLiteral(quoteTable(spelling)).trimStart()}`
  return {
    name: 'audit_log_partitioned',
    sql: `-- Makes the audit log a table of months. Where it is one already, this does nothing. A log of more than a gigabyte is refused:
-- run "npx prisma-extension-audit partition --convert" with its database first, while the application goes on.
${markOf(table)}::regclass);
`,
    marks: sameTableSpellings(table).map(markOf),
  }
}

/** A name for people: without its quotes where PostgreSQL can do without them, and on one line. */
function readable(quoted: string): string {
  return quoted.replaceAll(/"([a-z_][a-z0-9_]*)"/g, '$1').replaceAll('\n', ' ')
}

function refuseUnusableNames(table: TableName, shipped: string): void {
  const suffixes = Array.from(shipped.matchAll(shippedName), ([, suffix = '']) => suffix)
  const longest = suffixes.reduce((a, b) => (b.length > a.length ? b : a))
  const limit = 63 - longest.length
  if (Buffer.byteLength(table.name) > limit) {
    throw new UsageError(
      `The table name ${JSON.stringify(table.name)} is too long: PostgreSQL would cut "${table.name}${longest}", the name of an index, at 63 bytes. Give a name of at most ${limit} bytes.`,
    )
  }
  if (`${table.schema ?? ''}${table.name}`.includes(';')) {
    throw new UsageError(
      'The table name has a semicolon, at which some tools cut a migration in two. Give a name without one.',
    )
  }
}

/** A table without a schema and the one in `public` are the same unless the connection says otherwise. */
export function sameTableSpellings(table: TableName): TableName[] {
  const { schema = 'public', name } = table
  return schema === 'public' ? [{ name }, { schema, name }] : [table]
}
