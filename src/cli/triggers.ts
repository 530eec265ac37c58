import { AuditError } from '../errors.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { TriggerChange } from '../triggers/trigger-changes.ts'
import { watchSql } from '../triggers/watch-sql.ts'
import { type AuditedProject, readAuditedProject } from './audited-project.ts'
import { migrationFiles } from './init.ts'
import { logMigrations } from './log-migrations.ts'
import { describeFiles, isMigration, type PlannedFile } from './planned-files.ts'
import { printedTriggers, triggerMigration } from './trigger-migration.ts'

/** What `triggers` got on its command line. */
export interface TriggersOptions {
  readonly directory: string
  readonly table?: string | undefined
  readonly schema?: string | undefined
  readonly origin?: boolean | undefined
  readonly now?: Date
}

/** What the triggers of the project lack, and the migration that makes up for it. */
export interface TriggersPlan {
  readonly directory: string
  readonly changes: readonly TriggerChange[]
  readonly writes: readonly PlannedFile[]
  readonly notes: readonly string[]
}

/**
 * Works out what has changed since the triggers that the project's migrations have made, and writes nothing.
 *
 * @throws AuditError `AUDIT_CLI` when no migration makes the functions that such a migration calls
 */
export async function planTriggers(options: TriggersOptions): Promise<TriggersPlan> {
  const { directory, origin: isOrigin = false, now = new Date() } = options
  const project = await readAuditedProject(directory, options)
  await requireFunctions(project)
  const { changes, migration, notes } = triggerMigration(project, { isOrigin })
  const writes = await migrationFiles(project, migration ? [migration] : [], now)
  return { directory, changes, writes, notes }
}

/** The SQL that has triggers record every table of the schema, whatever migrations there are. */
export async function printTriggers(options: TriggersOptions): Promise<string> {
  const { log, wanted } = await readAuditedProject(options.directory, options)
  const given = options.origin ? { origin: true as const } : {}
  return wanted.map((one) => `${watchSql(log, { ...one, options: { ...one.options, ...given } })}\n`).join('')
}

/** What was written, for people to read. */
export function describeTriggers({ directory, changes, writes, notes }: TriggersPlan): string {
  const sections = [
    describeFiles(writes, directory, { contents: false }) || 'Nothing to do: no triggers have to change.',
    describeChanges(changes),
    notes.join('\n'),
    writes.some(isMigration)
      ? 'Next:\n  npx prisma migrate deploy      (in development: npx prisma migrate dev)'
      : '',
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

/** What `--check` found, for people to read. */
export function describeCheck({ changes, notes }: TriggersPlan): string {
  const sections =
    changes.length === 0
      ? ['The migrations have triggers for all that the schema and the options say.', ...notes]
      : [
          'The triggers of these tables are not those that the schema and the options ask for:',
          describeChanges(changes),
          ...notes,
          'Write the migration: npx prisma-extension-audit triggers',
        ]
  return `${sections.join('\n')}\n`
}

function describeChanges(changes: readonly TriggerChange[]): string {
  return changes.map(({ table, reason }) => `  ${quoteTable(table)}: ${reason}`).join('\n')
}

async function requireFunctions({ log, migrations }: AuditedProject): Promise<void> {
  const missing = (await logMigrations(log)).find(
    ({ marks }) => !migrations.some(({ sql }) => marks.some((mark) => sql.includes(mark))),
  )
  if (!missing) return
  throw new AuditError(
    'AUDIT_CLI',
    `No migration of the project makes the log ${quoteTable(log)} with its functions, so one with triggers would fail. Run: npx prisma-extension-audit init. With prisma db push instead of migrations run: ${printedTriggers}`,
  )
}
