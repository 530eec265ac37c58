import { loadParser } from '../capture/parse/syntax.ts'
import { schemaDataModel } from '../models/schema-data-model.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { type WatchedTable, watchedTables } from '../triggers/watched-tables.ts'
import { type AuditConfig, loadAuditConfig, resolveConfig } from './audit-config.ts'
import { databaseUrl } from './database-url.ts'
import { findProject, type PrismaProject } from './find-schema.ts'
import { type ProjectMigration, readMigrations } from './migrations-folder.ts'
import { tableOption } from './usage.ts'

/** A Prisma project, and what its audit is to record. */
export interface AuditedProject {
  readonly directory: string
  readonly prisma: PrismaProject
  readonly config: AuditConfig
  /** The log's table. */
  readonly log: TableName
  readonly migrations: readonly ProjectMigration[]
  /** The tables that triggers are to record, by the schema and the options. */
  readonly wanted: readonly WatchedTable[]
  /** Where tables are whose schema is not named. */
  readonly defaultSchema: string
}

/**
 * Reads the project in `directory`: its Prisma schema, its migrations and its `audit.config.ts`. No database is asked.
 *
 * @throws AuditError `AUDIT_CLI` or `AUDIT_INVALID_OPTIONS` when something of it can't be used
 */
export async function readAuditedProject(
  directory: string,
  given: { readonly table?: string | undefined; readonly schema?: string | undefined },
): Promise<AuditedProject> {
  const config = await loadAuditConfig(directory)
  const log = tableOption(given.table ?? config.options.table)
  const prisma = await findProject(directory, given.schema)
  const dataModel = schemaDataModel(prisma.files.map(({ text }) => text))
  const defaultSchema = await schemaOfUrl(directory)
  const options = { ...resolveConfig(config, dataModel), table: log }
  await loadParser()
  return {
    ...{ directory, prisma, config, log, defaultSchema },
    migrations: await readMigrations(prisma.migrationsPath),
    wanted: watchedTables(dataModel, options, defaultSchema),
  }
}

/** The schema that the connection string names, as Prisma reads it: `?schema=app`. */
async function schemaOfUrl(directory: string): Promise<string> {
  try {
    return new URL(await databaseUrl(directory)).searchParams.get('schema') || 'public'
  } catch {
    return 'public' // there is none, or it is none that names a schema
  }
}
