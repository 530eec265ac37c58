import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quoteIdentifier, quoteTable, type TableName } from '../postgres/identifiers.ts'
import { readShipped } from './shipped.ts'
import { UsageError } from './usage.ts'

/** Every name of the shipped migration begins with the table's: `"audit_logs"`, `"audit_logs_pkey"`, … */
const shippedName = /"audit_logs(\w*)"/g

/** Relations and functions can be named with their schema; indexes, constraints and triggers can't. */
const qualified = ['', '_immutable', '_record', '_iso']

/** The body of a function, a string in which quotes and backslashes are escaped. */
const functionBody = /(?<=AS )E'(?:''|[^'])*'/.source

/**
 * The shipped migration, written for another table.
 *
 * @throws UsageError when PostgreSQL would cut a name that derives from the table's, or a tool the file.
 */
export async function migrationFor(table: TableName): Promise<string> {
  const shipped = await readShipped('migration')
  refuseUnusableNames(
    table,
    Array.from(shipped.matchAll(shippedName), ([, suffix = '']) => suffix),
  )
  const rename = (suffix: string) => {
    const name = table.name + suffix
    return qualified.includes(suffix) ? quoteTable({ ...table, name }) : quoteIdentifier(name)
  }
  const renameInside = (body: string) =>
    body.replace(shippedName, (_, suffix: string) => rename(suffix).replace(/['\\]/g, '$&$&'))
  const sql = shipped.replace(
    new RegExp(`${functionBody}|${shippedName.source}`, 'g'),
    (match, suffix?: string) => (suffix === undefined ? renameInside(match) : rename(suffix)),
  )
  if (table.schema === undefined) return sql
  return sql.replace(
    'CREATE TABLE',
    () => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(table.schema ?? '')};\n\nCREATE TABLE`,
  )
}

function refuseUnusableNames(table: TableName, suffixes: string[]): void {
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

/** A new migration's folder, named as `prisma migrate dev` names it; a second later where that is taken. */
export function newMigrationFolder(migrationsPath: string, now: Date): string {
  const name = `${now.toISOString().replace(/\D/g, '').slice(0, 14)}_audit_log`
  const folder = join(migrationsPath, name)
  return existsSync(folder) ? newMigrationFolder(migrationsPath, new Date(now.getTime() + 1000)) : folder
}

/** The folder of the migration that creates this log, however it is called; undefined when there is none. */
export async function findMigration(migrationsPath: string, table: TableName): Promise<string | undefined> {
  const entries = await readdir(migrationsPath, { withFileTypes: true }).catch(() => [])
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  for (const folder of folders.sort()) {
    const sql = await readFile(join(migrationsPath, folder, 'migration.sql'), 'utf8').catch(() => '')
    if (sameTableSpellings(table).some((spelling) => createsLog(sql, spelling))) return folder
  }
  return undefined
}

/** The last thing that the migration does to make the table a log tells it from any other on the same table. */
function createsLog(sql: string, table: TableName): boolean {
  const trigger = quoteIdentifier(`${table.name}_refuse_truncate`)
  return sql.includes(`ALTER TABLE ${quoteTable(table)} ENABLE ALWAYS TRIGGER ${trigger}`)
}

/** A table without a schema and the one in `public` are the same unless the connection says otherwise. */
function sameTableSpellings(table: TableName): TableName[] {
  const { schema = 'public', name } = table
  return schema === 'public' ? [{ name }, { schema, name }] : [table]
}
