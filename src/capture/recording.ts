import { AuditError } from '../errors.ts'
import { ModelIndex } from '../models/data-model.ts'
import { type Catalog, findTable, findTables, recordedTables, type Table } from '../postgres/catalog.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { CaptureConfiguration } from './configuration.ts'
import type { PlainWrite } from './parse/statement.ts'
import { requireLog } from './require-log.ts'
import { type ContextFunctions, findContextFunctions } from './rewrite/context-call.ts'
import { type Reach, reachOf, type Tables } from './rewrite/referential-actions.ts'
import { TrackedTable, wantsTable } from './rewrite/tracked-table.ts'
import { tellUnprotected, unprotectedLog } from './unprotected-log.ts'
import { refuseDifferences, refuseIncomplete, refuseOutdated, watchDifferences } from './watch-differences.ts'

/** What the options want in the log of one state of the catalog, and who records it: triggers or the statement. */
export class Recording {
  readonly catalog: Catalog
  readonly options: CaptureConfiguration['options']
  readonly #models: ModelIndex
  #knowsRecordsAll: boolean | undefined
  readonly #tables = new Map<Table, TrackedTable>()

  /** @param defaultSchema the schema of models without `@@schema` */
  constructor(catalog: Catalog, { options, dataModel }: CaptureConfiguration, defaultSchema: string) {
    this.catalog = catalog
    this.options = options
    this.#models = new ModelIndex(dataModel, defaultSchema)
  }

  /**
   * Makes sure that triggers and this client agree on every table: on how it is recorded, and on its columns.
   *
   * @throws AuditError `AUDIT_TABLE_MISSING`, `AUDIT_LOG_UNPROTECTED`, `AUDIT_LOG_OUTDATED`, `AUDIT_OPTIONS_DIFFER` or `AUDIT_TRIGGERS_OUTDATED`
   * @throws NotRead
   */
  verifyTriggers(): void {
    requireLog(this.catalog, this.options.table)
    const unprotected = unprotectedLog(this.catalog, this.options.table)
    if (unprotected) throw unprotected
    void this.functions
    const tables = findTables(this.catalog, recordedTables(this.catalog).noted)
    const wanted = tables.map((table) => this.track(table)).filter(({ isWanted }) => isWanted)
    for (const tracked of wanted) {
      refuseDifferences(tracked, watchDifferences(tracked, this.catalog, this.options.table))
    }
    refuseOutdated(wanted.map(({ table }) => table))
  }

  /**
   * How the table that a statement writes to is recorded.
   *
   * @throws AuditError `AUDIT_OPTIONS_DIFFER` or `AUDIT_TRIGGERS_OUTDATED`
   */
  trackAgreed(statement: PlainWrite, table: Table): TrackedTable {
    const tracked = this.track(table)
    tablesOf(statement, table).forEach(refuseIncomplete)
    refuseDifferences(tracked, watchDifferences(tracked, this.catalog, this.options.table))
    return tracked
  }

  /** Refuses a write that can't be recorded, and tells of a log that could be changed. */
  requireLog(): void {
    requireLog(this.catalog, this.options.table)
    tellUnprotected(this.catalog, this.options)
  }

  /** Whether triggers record all that a write to a table changes, or none of it is wanted in the log. */
  isRecorded(name: TableName): boolean {
    // without a schema, the session decides which one it is
    const named = findTables(this.catalog, [name.name])
    if (name.schema === undefined && named.length > 1)
      return named.every(({ schema }) => this.isRecorded({ schema, name: name.name }))
    const table = findTable(this.catalog, name)
    if (!table) return false
    const reached = (['delete', 'update'] as const).flatMap(
      (verb) =>
        reachOf(
          table,
          verb,
          table.columns.map((column) => column.name),
        )?.tables ?? [],
    )
    return [table, ...reached].every(
      (one) => isTable(one) && !one.watch.isIncomplete && !this.track(one).isTracked,
    )
  }

  /** Whether any table that was read has triggers that record it. */
  get hasTriggers(): boolean {
    return recordedTables(this.catalog).hasTriggers
  }

  /** Whether triggers record every table wanted in the log; Prisma's list of migrations is not one. */
  get recordsAll(): boolean {
    this.#knowsRecordsAll ??= recordedTables(this.catalog).unrecorded.every(
      (table) => table.name === '_prisma_migrations' || !this.#isNameWanted(table),
    )
    return this.#knowsRecordsAll
  }

  get qualifiedLog(): TableName {
    const { table } = this.options
    return findTable(this.catalog, table) ?? table
  }

  /** Whether the options want changes of a table in the log. Only for what may be a link its columns have to be known. */
  #isNameWanted(name: Required<TableName>): boolean {
    const { columns = [] } = (this.#models.hasLink(name.name) && findTable(this.catalog, name)) || {}
    return wantsTable({ ...name, columns }, this.#models, this.options)
  }

  get functions(): ContextFunctions {
    const { table } = this.options
    const functions = findContextFunctions(this.catalog, table)
    if (functions) return functions
    throw logOutdated(table)
  }

  /** What referential actions can reach from a statement; undefined when none of it is tracked. */
  trackedReach(statement: PlainWrite, table: Table): Reach | undefined {
    const reach = reachOfStatement(statement, table)
    return reach?.edges.some((edge) => this.track(edge.key.child).isTracked) ? reach : undefined
  }

  track(table: Table): TrackedTable {
    const known = this.#tables.get(table) ?? new TrackedTable(table, this.#models, this.options, this.catalog)
    this.#tables.set(table, known)
    return known
  }
}

/** What referential actions can reach from a statement, tracked or not. */
function reachOfStatement(statement: PlainWrite, table: Table): Reach | undefined {
  if (statement.kind === 'insert') return undefined
  return statement.kind === 'delete'
    ? reachOf(table, 'delete', [])
    : reachOf(table, 'update', statement.assigned)
}

/** The table that a statement writes to, and those that its referential actions can reach. */
export function tablesOf(statement: PlainWrite, table: Table): Tables {
  return reachOfStatement(statement, table)?.tables ?? [table]
}

/** Whether triggers may have to know who acts: where none records what the statement reaches, nobody does. */
export function concernsTriggers(tables: Tables): boolean {
  return tables[0].watch.fingerprint !== '' || tables.some(({ watch }) => watch.isRecording)
}

function isTable({ kind }: Table): boolean {
  return kind === 'r' || kind === 'p' || kind === 'f'
}

function logOutdated(log: TableName): AuditError {
  return new AuditError(
    'AUDIT_LOG_OUTDATED',
    `The audit log ${quoteTable(log)} lacks a migration of this version, so a statement could not agree with triggers on who records a change. Nothing was written. Run "npx prisma-extension-audit init", which writes the missing migration, and "npx prisma migrate deploy".`,
  )
}
