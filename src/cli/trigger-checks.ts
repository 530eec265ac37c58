import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import { writesTo } from '../postgres/watch.ts'
import type { InstalledTriggers } from '../triggers/installed-triggers.ts'
import { optionDifferences } from '../triggers/option-differences.ts'
import { watchSql } from '../triggers/watch-sql.ts'
import type { WatchedTable } from '../triggers/watched-tables.ts'
import { type Check, missing, ok, warning } from './check.ts'

/** What the triggers in a database are compared with. */
export interface WantedTriggers {
  /** By the schema and the options of the project, `origin` by its migrations. */
  readonly tables: readonly WatchedTable[]
  /** Whether a table without triggers fails the checklist. */
  readonly areRequired: boolean
}

/** A table of the project, of the database, or of both. */
interface Compared {
  readonly name: string
  readonly wanted: WatchedTable | undefined
  readonly installed: InstalledTriggers | undefined
}

/**
 * How the triggers of every table are, with those that are not as they should be.
 *
 * @param wanted undefined where there is no project, so that nobody knows which tables there should be
 */
export function triggerChecks(
  installed: readonly InstalledTriggers[],
  log: Required<TableName>,
  wanted: WantedTriggers | undefined,
): { readonly checks: readonly Check[]; readonly areComplete: boolean } {
  const byName = new Map(installed.map((one) => [quoteTable(one.table), one]))
  const wantedNames = new Set(wanted?.tables.map(({ table }) => quoteTable(table)))
  const compared: Compared[] = [
    ...(wanted?.tables ?? []).map((one) => {
      const name = quoteTable(one.table)
      return { name, wanted: one, installed: byName.get(name) }
    }),
    ...installed
      .map((one) => ({ name: quoteTable(one.table), wanted: undefined, installed: one }))
      .filter((one) => !wantedNames.has(one.name) && isWatched(log, one.installed)),
  ]
  const problems = compared.map((one) => ({ ...one, problem: problemOf(one, log) }))
  const namesWith = (problem: string) =>
    problems.filter((one) => one.problem === problem).map(({ name }) => name)
  const [fine, bare, absent] = [namesWith(noProblem), namesWith(noTriggers), namesWith(noTable)]
  const others = problems.filter(({ problem }) => ![noProblem, noTriggers, noTable].includes(problem))
  const toBare = wanted?.areRequired ? missing : warning
  return {
    areComplete: wanted !== undefined && fine.length === compared.length,
    checks: [
      ...(fine.length === 0 ? [] : [ok(`triggers record ${tableCount(fine)}`)]),
      ...others.map(({ name, problem, wanted: one }) => missing(`${name}: ${problem}. ${renewal(log, one)}`)),
      ...(bare.length === 0
        ? []
        : [
            toBare(
              `${tableCount(bare)} without triggers, where only writes of the audited client are recorded: ${bare.join(', ')}. Run npx prisma-extension-audit triggers`,
            ),
          ]),
      ...policyChecks(compared, installed, wanted),
      ...(absent.length === 0
        ? []
        : [warning(`${tableCount(absent)} of the schema not in the database: ${absent.join(', ')}`)]),
    ],
  }
}

/**
 * Where policies decide which rows a statement sees, what is recorded without triggers is not always exact. Without a
 * project every table of the database may be meant.
 */
function policyChecks(
  compared: readonly Compared[],
  installed: readonly InstalledTriggers[],
  wanted: WantedTriggers | undefined,
): Check[] {
  const tables = wanted ? compared.flatMap((one) => one.installed ?? []) : installed
  const names = tables
    .filter((one) => one.hasRowSecurity && !one.definition && !one.hasRowTriggers)
    .map(({ table }) => quoteTable(table))
  if (names.length === 0) return []
  return [
    warning(
      `${tableCount(names)} with row-level security and without triggers: ${names.join(', ')}. Policies hide rows from the statements of the client, so what these change is not always recorded exactly; triggers record it. Run npx prisma-extension-audit triggers`,
    ),
  ]
}

const noProblem = ''
const noTable = 'the table is not there'
const noTriggers = 'it has no triggers'

function problemOf({ wanted, installed }: Compared, log: Required<TableName>): string {
  if (!installed) return noTable
  const { definition, states, hasRowTriggers, isWhole, isOutdated, isOvertaken } = installed
  if (!definition && !hasRowTriggers) return noTriggers
  if (states.includes('D')) return 'its triggers are disabled, so that changes of others are not recorded'
  if (!definition || !isWhole || states.length > 1)
    return 'some of its triggers are missing, or enabled otherwise than the others'
  if (!writesTo(definition, log)) return `its triggers write to ${definition.log}`
  // a table without a model, or without a project, is as somebody wanted it
  const isOrigin = wanted ? wanted.options.origin : true
  if (!states.includes('A') && !isOrigin) {
    return 'its triggers are enabled, but not ALWAYS: session_replication_role = replica passes them by'
  }
  if (isOutdated) return `its triggers are older than its columns: ${columnChanges(installed).join(', ')}`
  if (isOvertaken) {
    return 'it has got a trigger for each row since its own were made: what that one changes is recorded in the wrong order'
  }
  const differing = wanted ? optionDifferences(wanted, installed) : []
  return differing.length === 0
    ? noProblem
    : `its triggers have other options than the project: ${differing.join(', ')}`
}

/** What has become of the columns of a table since its triggers were made. */
function columnChanges({ definition, columns }: InstalledTriggers): string[] {
  const before = new Map(Object.entries(definition?.names ?? {}))
  const now = new Map(columns.map(({ number, name }) => [String(number), name]))
  const changes = [
    ...[...now].map(([number, name]) => {
      const former = before.get(number)
      if (former === undefined) return `${name} came`
      return former === name ? undefined : `${former} is now ${name}`
    }),
    ...[...before].map(([number, name]) => (now.has(number) ? undefined : `${name} went`)),
  ].filter((change) => change !== undefined)
  return changes.length > 0 ? changes : ['one has another type']
}

/** Whether triggers record a table, or what is left of such triggers. */
function isWatched(log: Required<TableName>, { definition, hasRowTriggers }: InstalledTriggers): boolean {
  return definition ? writesTo(definition, log) : hasRowTriggers
}

function renewal(log: TableName, wanted: WatchedTable | undefined): string {
  return wanted === undefined
    ? `Call ${quoteTable({ ...log, name: `${log.name}_watch` })} for it again.`
    : `Run npx prisma-extension-audit triggers and npx prisma migrate deploy, or this: ${watchSql(log, wanted)}`
}

function tableCount({ length }: readonly string[]): string {
  return `${length} ${length === 1 ? 'table' : 'tables'}`
}
