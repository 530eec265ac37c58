import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { TableName } from '../postgres/identifiers.ts'
import { type AuditedProject, readAuditedProject } from './audited-project.ts'
import { type LogMigration, logMigrations, partitionedMigration } from './log-migrations.ts'
import { newMigrationFolders } from './migrations-folder.ts'
import { planModel } from './model-file.ts'
import { describeFiles, isMigration, type PlannedFile } from './planned-files.ts'
import { readShipped } from './shipped.ts'
import { printedTriggers, triggerMigration } from './trigger-migration.ts'

/** What `init` got on its command line. */
export interface InitOptions {
  readonly directory: string
  readonly table?: string | undefined
  readonly model?: string | undefined
  readonly schema?: string | undefined
  /** Whether to write the triggers of the models, too. Default true. */
  readonly triggers?: boolean
  readonly origin?: boolean | undefined
  /** Whether the log is to be a table of months. Default: as it is. */
  readonly partitioned?: boolean | undefined
  readonly now?: Date
}

/** What `init` will write, and what the user should know of it. */
export interface InitPlan {
  readonly directory: string
  readonly table: TableName
  /** Whether `audit.config.ts` says the table. */
  readonly isConfigured: boolean
  readonly writes: readonly PlannedFile[]
  readonly notes: readonly string[]
  /** The names of tables that no migration creates yet, so that they got no triggers. */
  readonly withoutTable: readonly string[]
}

/**
 * Works out which files of the project get the log's model, its migrations, and the triggers of the models, and writes
 * nothing. What is there already is left out, so that a second plan is empty.
 */
export async function planInit(options: InitOptions): Promise<InitPlan> {
  const { directory, triggers = true, origin: isOrigin = false, now = new Date() } = options
  const project = await readAuditedProject(directory, options)
  const shipped = await logMigrations(project.log)
  const folderOf = ({ marks }: Pick<LogMigration, 'marks'>) =>
    project.migrations.find(({ sql }) => marks.some((mark) => sql.includes(mark)))?.folder
  const partitioned = partitionedMigration(project.log)
  const isPartitioned = options.partitioned === true || folderOf(partitioned) !== undefined
  const ofLog = [...shipped, ...(isPartitioned ? [partitioned] : [])]
  const model = await planModel(project.prisma, project.log, options.model, isPartitioned)

  const folders = ofLog.map(folderOf).filter((folder) => folder !== undefined)
  const own = triggers ? triggerMigration(project, { isOrigin }) : undefined
  const migrations = [
    ...ofLog.filter((one) => folderOf(one) === undefined),
    ...(own?.migration ? [own.migration] : []),
  ]
  return {
    ...{ directory, table: project.log, isConfigured: project.config.options.table !== undefined },
    writes: [...model.files, ...(await migrationFiles(project, migrations, now))],
    notes: [
      ...model.notes,
      ...folders.map((folder) => `The migration ${folder} is there already.`),
      ...(own?.notes ?? []),
    ],
    withoutTable: own?.withoutTable ?? [],
  }
}

/** The files of new migrations, with the lock file that Prisma wants in a new folder. */
export async function migrationFiles(
  { prisma: { migrationsPath }, migrations: existing }: AuditedProject,
  migrations: readonly { readonly name: string; readonly sql: string }[],
  now: Date,
): Promise<PlannedFile[]> {
  if (migrations.length === 0) return []
  const names = migrations.map(({ name }) => name)
  const folders = newMigrationFolders(existing, names, now)
  const lock = join(migrationsPath, 'migration_lock.toml')
  return [
    ...migrations.map(({ sql }, index) => ({
      path: join(migrationsPath, folders[index] as string, 'migration.sql'),
      ...{ text: sql, append: false },
    })),
    ...(existsSync(lock) ? [] : [{ path: lock, text: await readShipped('migrationLock'), append: false }]),
  ]
}

/** The plan for people to read; with `contents`, what would be written word for word. */
export function describePlan(plan: InitPlan, { contents }: { contents: boolean }): string {
  const files = describeFiles(plan.writes, plan.directory, { contents })
  const nothing = contents ? 'Nothing to write.' : 'Nothing to do: the audit log is in your project already.'
  const sections = [files || nothing, plan.notes.join('\n'), nextSteps(plan)]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function nextSteps({ writes, table, isConfigured, withoutTable, directory }: InitPlan): string {
  const migrations = writes.filter(isMigration)
  const steps: string[] = []
  if (migrations.some(isPartitioning) && !migrations.some(makesTable)) {
    steps.push('npx prisma-extension-audit partition --convert      first, for a log of more than a gigabyte')
  }
  if (migrations.length > 0) {
    steps.push('npx prisma migrate deploy      (in development: npx prisma migrate dev)')
    // A new lock file means a new migrations folder: the database may have come from `prisma db push`.
    if (writes.some(({ path }) => path.endsWith('.toml'))) {
      const files = migrations.map(({ path }) => `npx prisma db execute --file ${relative(directory, path)}`)
      const printed = withoutTable.length === 0 ? [] : [printedTriggers]
      const ways = [...files, ...printed].map((way) => `  ${way}`)
      steps.push('  With prisma db push instead of migrations:', ...ways)
    }
  }
  if (withoutTable.length > 0) {
    steps.push('npx prisma-extension-audit triggers      once a migration has created the tables')
  }
  if (writes.some(({ path }) => path.endsWith('.prisma'))) steps.push('npx prisma generate')
  if (migrations.some(isPartitioning)) {
    steps.push(
      'npx prisma-extension-audit maintain      every day, from cron: it creates the months that come',
    )
  }
  if (!isConfigured && (table.schema !== undefined || table.name !== 'audit_logs')) {
    steps.push(`In your code: withAudit(client, { table: ${tableOptionLiteral(table)} })`)
  }
  return steps.length === 0 ? '' : ['Next:', ...steps.map((step) => `  ${step}`)].join('\n')
}

function isPartitioning({ path }: PlannedFile): boolean {
  return path.includes('_audit_log_partitioned')
}

/** Whether a planned file makes the table, which then is empty. */
function makesTable({ path }: PlannedFile): boolean {
  return /_audit_log.migration\.sql$/.test(path)
}

/** The table as the `table` option takes it, written as JavaScript. */
function tableOptionLiteral({ schema, name }: TableName): string {
  const parts = [schema, name].filter((part) => part !== undefined)
  const text = parts
    .map((part) => (/^[^".\s]+$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.')
  return /['\\\n]/.test(text) ? JSON.stringify(text) : `'${text}'`
}
