import { quoteTable } from '../postgres/identifiers.ts'
import { MigrationHistory } from '../triggers/migration-history.ts'
import { type TriggerChange, triggerChanges } from '../triggers/trigger-changes.ts'
import type { WatchedTable } from '../triggers/watched-tables.ts'
import type { AuditedProject } from './audited-project.ts'

/** What begins a migration that the command line wrote, so that it knows its own lines from others. */
const writtenByUs = '-- Written by prisma-extension-audit'

const migrationHead = `${writtenByUs}: triggers record every change of these tables, whoever makes it.
-- After a change of the schema or of the options run "npx prisma-extension-audit triggers" again.
`

/** How triggers get into a database that has no migrations. */
export const printedTriggers = 'npx prisma-extension-audit triggers --print | npx prisma db execute --stdin'

/** What the triggers of a project lack. */
export interface TriggerMigration {
  readonly changes: readonly TriggerChange[]
  /** The migration that makes up for it; undefined when nothing is to do. */
  readonly migration: { readonly name: string; readonly sql: string } | undefined
  /** The quoted names of tables that no migration creates. */
  readonly withoutTable: readonly string[]
  readonly notes: readonly string[]
}

/** Compares the schema and the options of a project with the triggers that its migrations have made. */
export function triggerMigration(
  { log, migrations, wanted, defaultSchema }: AuditedProject,
  { isOrigin }: { isOrigin: boolean },
): TriggerMigration {
  const history = new MigrationHistory(migrations, log, defaultSchema)
  const ours = new Set(
    migrations.filter(({ sql }) => sql.startsWith(writtenByUs)).map(({ folder }) => folder),
  )
  const isOurs = (folder: string) => ours.has(folder)
  const { changes, withoutTable } = triggerChanges(wanted, history, log, { isOurs, isOrigin })
  return {
    changes,
    migration: changes.length === 0 ? undefined : { name: 'audit_triggers', sql: migrationSql(changes) },
    withoutTable: withoutTable.map(({ table }) => quoteTable(table)),
    notes: [
      ...(withoutTable.length === 0 ? [] : [`No migration creates ${nameList(withoutTable)} yet.`]),
      ...history.unreadable.map(
        (folder) => `The migration ${folder} could not be read, so what it makes of tables is not known.`,
      ),
    ],
  }
}

function nameList(tables: readonly WatchedTable[]): string {
  const names = tables.map(({ table }) => quoteTable(table)).join(', ')
  return tables.length === 1
    ? `the table ${names}, so it gets no triggers`
    : `the tables ${names}, so they get no triggers`
}

function migrationSql(changes: readonly TriggerChange[]): string {
  const lines = changes.map(({ isNew, reason, sql }) => (isNew ? sql : `-- ${reason}\n${sql}`))
  return `${migrationHead}\n${lines.join('\n')}\n`
}
