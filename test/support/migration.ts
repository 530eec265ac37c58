import { readdir, readFile } from 'node:fs/promises'
import { logMigrations } from '../../src/cli/log-migrations.ts'
import type { TableName } from '../../src/postgres/identifiers.ts'

/** What their folders are called. */
export const folders = (await readdir('prisma/migrations', { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()

/** The migrations that make the log, as the package ships them. */
export const migrations = await Promise.all(
  folders.map((name) => readFile(`prisma/migrations/${name}/migration.sql`, 'utf8')),
)

/** All of them, one after the other. */
export const migration = migrations.join('\n')

/** The same, written for another table. */
export async function logSql(table: TableName): Promise<string> {
  return (await logMigrations(table)).map(({ sql }) => sql).join('\n')
}
