import { columnNames, logColumns, writtenColumns } from '../log/columns.ts'
import type { SealTrigger } from '../log/seal-triggers.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { LogCatalog, LogTable } from '../postgres/log-catalog.ts'
import { type Check, missing, ok, warning } from './check.ts'
import { logMigrationsAfter, newestLogMigration } from './log-migrations.ts'
import { partitionChecks } from './partition-checks.ts'
import { checkRefusal, sealTriggerChecks } from './refusal-checks.ts'

/** A role that may write these could backdate an entry or forge its order. */
const filledIn = columnNames.filter((name) => logColumns[name].filledBy === 'database')

const indexes = [
  'pkey',
  'timestamp_idx',
  'actor_id_timestamp_idx',
  'resource_type_resource_id_timestamp_idx',
  'action_timestamp_idx',
  'organization_id_timestamp_idx',
  'transaction_id_idx',
  'read_records_idx',
  'commit_order_idx',
]

// pg_trigger.tgtype: 1 for each row, 2 for BEFORE, and 8, 16 or 32 for the event.
const triggers = { update: 2 + 16, delete: 2 + 8, truncate: 2 + 32, other_change: 1 + 2 + 16 }

/** The migration from which on a statement of an erasure passes `refuse_update`, and what it changes is refused row by row. */
const erasureMigration = 6

/**
 * Everything that the log needs in the database, each with what was found.
 *
 * @param sealTriggers those that keep the log's seals from being changed
 * @param isRecordedByTriggers whether triggers record every table of the project, so that a role need not write to the log
 */
export function checklistOf(
  catalog: LogCatalog,
  wanted: TableName,
  sealTriggers: readonly SealTrigger[],
  isRecordedByTriggers: boolean,
): Check[] {
  const { table } = catalog
  if (!table) return [checkVersion(catalog), missingTable(catalog, wanted)]
  return [
    checkVersion(catalog),
    ok(`table ${table.schema}.${table.name}`),
    ...checkColumns(table),
    checkFunction(table),
    checkMigrations(table),
    ...['record', 'iso'].map((suffix) => checkRecorder(table, suffix, catalog.role.name)),
    ...refusalsOf(table).map((event) => checkTrigger(table, event)),
    ...sealTriggerChecks(sealTriggers, table),
    ...checkIndexes(table),
    ...partitionChecks(table),
    ...checkPrivileges(table, catalog.role.name, isRecordedByTriggers),
    ...warnings(table, catalog.role),
  ]
}

function checkVersion({ version, versionNumber }: LogCatalog): Check {
  return versionNumber >= 140_000
    ? ok(`PostgreSQL ${version}`)
    : missing(`PostgreSQL ${version} is too old: the audit log needs 14 or newer`)
}

function missingTable({ elsewhere }: LogCatalog, { schema, name }: TableName): Check {
  const there = elsewhere.map((other) => `${other}.${name}`).join(', ')
  const hint =
    there === '' ? 'apply the migration of init: npx prisma migrate deploy' : `there is ${there}: --table`
  const wanted = schema === undefined ? `${name} is not in the search_path` : `${schema}.${name} is not there`
  return missing(`table ${wanted}; ${hint}`)
}

function checkColumns({ columns }: LogTable): Check[] {
  const wrong = columnNames.flatMap((name) => {
    const { type, filledBy } = logColumns[name]
    const column = columns[name]
    if (!column) return [missing(`column ${name} is not there`)]
    if (column.type !== type) return [missing(`column ${name} is ${column.type}, not ${type}`)]
    if (filledBy === 'database' && !column.hasDefault) return [missing(`column ${name} has no default`)]
    return []
  })
  return wrong.length > 0 ? wrong : [ok(`${columnNames.length} columns`)]
}

function checkFunction({ name, functions }: LogTable): Check {
  const found = functions.immutable
  if (!found) return missing(`function ${name}_immutable is not there`)
  return found.source.includes('ZA001')
    ? ok(`function ${name}_immutable`)
    : missing(`function ${name}_immutable does not refuse: it never raises ZA001`)
}

/** Whether the log has every migration that this version of the library knows. */
function checkMigrations(table: LogTable): Check {
  const { name } = table
  const version = versionOf(table)
  if (version > newestLogMigration) {
    return warning(
      `the log has migration ${version}, and this version knows ${newestLogMigration}: update prisma-extension-audit`,
    )
  }
  const lacking = logMigrationsAfter(version)
  if (lacking.length === 0) return ok(`function ${name}_version: ${version}, the newest`)
  return missing(
    `the log lacks the migration ${lacking.join(', ')}: npx prisma-extension-audit init, then npx prisma migrate deploy`,
  )
}

/** The newest migration that the log has; there was no function to say it before the second. */
function versionOf({ functions }: LogTable): number {
  return Number(/\d+/.exec(functions.version?.source ?? '1'))
}

/** The functions that make statements short; without them entries are written as well, only slower. */
function checkRecorder({ name, functions }: LogTable, suffix: string, role: string): Check {
  const found = functions[suffix]
  const called = `function ${name}_${suffix}`
  if (!found) return warning(`${called} is not there, so writes take longer: apply the migration again`)
  if (found.execute) return ok(called)
  return warning(`role ${role} lacks EXECUTE on ${called}, so its writes take longer: GRANT it`)
}

function refusalsOf(table: LogTable): (keyof typeof triggers)[] {
  const statements = ['update', 'delete', 'truncate'] as const
  return versionOf(table) >= erasureMigration ? [...statements, 'other_change'] : [...statements]
}

function checkTrigger(table: LogTable, event: keyof typeof triggers): Check {
  const name = `${table.name}_refuse_${event}`
  const wanted = { timing: triggers[event], calls: `${table.name}_immutable` }
  return checkRefusal(name, event.replace('_', ' '), wanted, table.triggers[name])
}

function checkIndexes(table: LogTable): Check[] {
  const wrong = indexes.flatMap((suffix) => {
    const name = `${table.name}_${suffix}`
    if (table.indexes[name] === undefined) return [missing(`index ${name} is not there`)]
    return table.indexes[name] ? [] : [missing(`index ${name} is invalid: REINDEX it`)]
  })
  return wrong.length > 0 ? wrong : [ok(`${indexes.length} indexes`)]
}

function checkPrivileges(table: LogTable, role: string, isRecordedByTriggers: boolean): Check[] {
  const closed = writtenColumns.filter((name) => table.columns[name]?.insert === false)
  const usage = table.schemaUsage ? [] : [`USAGE on schema ${table.schema}`]
  if (isRecordedByTriggers && closed.length > 0) {
    const writer = `${table.name}_write_as_owner`
    const lacks = [
      ...usage,
      ...(table.functions.write_as_owner?.execute ? [] : [`EXECUTE on function ${writer}`]),
    ]
    return [
      ...lackedBy(role, lacks),
      ...(lacks.length > 0
        ? []
        : [ok(`role ${role} may execute ${writer}: with triggers it needs no INSERT`)]),
      ...(table.privileges.SELECT ? [] : [warning(`role ${role} lacks SELECT, so it can't ask the log`)]),
    ]
  }
  const lacks = [
    ...usage,
    ...(closed.length === 0 ? [] : [`INSERT (${closed.join(', ')})`]),
    ...(table.privileges.SELECT ? [] : ['SELECT']),
  ]
  return lacks.length === 0 ? [ok(`role ${role} may INSERT and SELECT`)] : lackedBy(role, lacks)
}

function lackedBy(role: string, privileges: readonly string[]): Check[] {
  return privileges.map((privilege) => missing(`role ${role} lacks ${privilege}: GRANT it`))
}

function warnings(table: LogTable, role: LogCatalog['role']): Check[] {
  const { name } = role
  const advice = 'so it should not be the role of your application'
  if (role.superuser) return [warning(`role ${name} is a superuser and can drop the triggers, ${advice}`)]
  if (table.owned) return [warning(`role ${name} owns the table and can drop its triggers, ${advice}`)]
  const writing = (['UPDATE', 'DELETE', 'TRUNCATE'] as const).filter(
    (privilege) => table.privileges[privilege],
  )
  const forging = filledIn.filter((column) => table.columns[column]?.insert)
  return [
    writing.length === 0
      ? ok(`role ${name} holds no UPDATE, DELETE or TRUNCATE`)
      : warning(
          `role ${name} holds ${writing.join(', ')}; the triggers refuse them, but better REVOKE them too`,
        ),
    ...(forging.length === 0
      ? []
      : [
          warning(
            `role ${name} may INSERT ${forging.join(', ')}, which the database fills in: it can backdate`,
          ),
        ]),
  ]
}
