import { LRUCache } from 'lru-cache'
import { AuditError } from '../errors.ts'
import { ModelIndex } from '../models/data-model.ts'
import { type Catalog, findTable, findTables, recordedTables, type Table } from '../postgres/catalog.ts'
import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { CaptureConfiguration } from './configuration.ts'
import { conflictKey } from './parse/conflict.ts'
import { type FoldedStatement, foldLists } from './parse/fold.ts'
import { countParameters, type Renumbered, renumber, renumberFolded } from './parse/parameters.ts'
import type { WriteStatement } from './parse/statement.ts'
import { parseSql, type Syntax } from './parse/syntax.ts'
import { classify, type UncapturableReason } from './parse/uncapturable.ts'
import { withoutValues } from './parse/without-values.ts'
import { unqualifiedTable, writtenTables } from './parse/written-tables.ts'
import { requireLog, unprotectedLog } from './require-log.ts'
import { lacksPrivilege, restrictionOf } from './rewrite/access.ts'
import type { RewriteInput, Rewritten, Want } from './rewrite/audited-statement.ts'
import { carryContext } from './rewrite/carry-context.ts'
import {
  type ContextFunctions,
  contextCall,
  findContextFunctions,
  unwatchedGuard,
} from './rewrite/context-call.ts'
import { EntryParameters, type EntryShape } from './rewrite/entry-parameters.ts'
import { noteEntry, type RawEntry, rawEntry } from './rewrite/raw-entry.ts'
import { findRecorder } from './rewrite/recorder.ts'
import { type Reach, reachOf } from './rewrite/referential-actions.ts'
import { hurdleTo, rewrite } from './rewrite/rewrite.ts'
import { TrackedTable, wantsTable } from './rewrite/tracked-table.ts'
import { refuseDifferences, refuseIncomplete, refuseOutdated, watchDifferences } from './watch-differences.ts'

/** What to do with a statement. */
export type Plan =
  | { readonly kind: 'pass'; readonly writes?: true }
  | UncapturablePlan
  | CarriedPlan
  | AuditedPlan

/** Run it as it is, and record its text. */
export interface UncapturablePlan {
  readonly kind: 'uncapturable'
  readonly reason: UncapturableReason
  /** The statement without its values. */
  readonly statement: string
  /** Undefined when triggers record all that the statement can write to. */
  readonly entry: RawEntry | undefined
  /** Runs first in the same transaction, and tells triggers who acts; undefined when there are no triggers. */
  readonly ahead: ContextStatement | undefined
}

/** Run it with a call that tells who acts: triggers record it. */
export interface CarriedPlan {
  readonly kind: 'carried'
  readonly sql: string
  readonly parameters: EntryParameters
  /** How many columns at the end of the result are ours. */
  readonly surplus: number
  /** For an INSERT with other triggers that write before its rows. */
  readonly ahead: ContextStatement | undefined
}

/** A separate statement that tells who acts in the next one. */
export interface ContextStatement {
  readonly sql: string
  readonly parameters: EntryParameters
}

/** Run the audited statement in its place. */
export interface AuditedPlan extends Omit<Rewritten, 'lock' | 'readLater'> {
  readonly kind: 'audited'
  /** After the statement's own. */
  readonly parameters: EntryParameters
  /** Statements that run before, with some of the statement's own parameters; see {@link Rewritten}. */
  readonly lock?: { readonly rows: Renumbered; readonly reached?: Renumbered; readonly isDeep: boolean }
  readonly readLater?: { readonly sql: string; readonly parameters: EntryParameters }
  /** A query, see {@link lacksPrivilege}. */
  readonly lacksPrivilege: string
  /** What to do instead if the query `ask` says that the statement's role is restricted. */
  readonly restricted?:
    | { readonly ask: string; readonly plan: Plan; readonly isIncomplete: boolean }
    | undefined
}

const pass: Plan = { kind: 'pass' }

/** Plans are kept by statement text, so a statement is parsed and rewritten once. Bounded, so memory can't grow. */
const cachedPlans = 1_000
const cachedCharacters = 8 * 1024 * 1024

/** Makes plans for one configuration and one state of the catalog. */
export class Planner {
  readonly catalog: Catalog
  readonly #configuration: CaptureConfiguration
  readonly #models: ModelIndex
  #knowsRecordsAll: boolean | undefined
  #isLogChecked = false
  readonly #tables = new Map<Table, TrackedTable>()
  readonly #openNames = new LRUCache<string, string>({
    max: cachedPlans,
    maxSize: cachedCharacters,
    sizeCalculation: (_, text) => text.length + 1,
  })
  readonly #plans = new LRUCache<string, Plan>({
    max: cachedPlans,
    maxSize: cachedCharacters,
    sizeCalculation: (plan, key) => key.length + ('sql' in plan ? plan.sql.length : 0) + 1,
  })

  /** @param defaultSchema the schema of models without `@@schema` */
  constructor(catalog: Catalog, configuration: CaptureConfiguration, defaultSchema: string) {
    this.catalog = catalog
    this.#configuration = configuration
    this.#models = new ModelIndex(configuration.dataModel, defaultSchema)
  }

  /**
   * The name of the table that a statement writes to, if it has no schema and may mean several tables: in a transaction
   * any, as `search_path` may have changed, or a temporary table have that name.
   *
   * @throws NotRead
   */
  openName(sql: string, isInTransaction: boolean): string | undefined {
    const { text } = foldLists(sql)
    const name = this.#openNames.get(text) ?? unqualifiedTable(parseSql(text)) ?? ''
    this.#openNames.set(text, name)
    if (name === '') return undefined
    const isOpen = isInTransaction || findTables(this.catalog, [name]).length > 1
    return isOpen ? name : undefined
  }

  /** The names of the tables that a statement writes to, as far as its text says so. */
  writtenNames(sql: string): string[] {
    const syntax = parseSql(foldLists(sql).text)
    return ((syntax && writtenTables(syntax)) ?? []).map(({ name }) => name)
  }

  /** The plan of a statement that was planned before, if its text alone says which table it writes to. */
  known(sql: string, parameterCount: number, want: Want, shape: EntryShape): Plan | undefined {
    const folded = foldLists(sql)
    const plan = this.#plans.get(planKey(folded, parameterCount, want, shape))
    return plan && unfolded(plan, sql, folded)
  }

  /**
   * The plan for a statement with `parameterCount` parameters. The parser must be loaded.
   *
   * @param written the table that the statement writes to, if its name alone does not say: its oid
   * @throws NotRead
   */
  plan(sql: string, parameterCount: number, want: Want, shape: EntryShape, written?: number): Plan {
    const folded = foldLists(sql)
    const key = planKey(folded, parameterCount, want, shape, written)
    const plan = this.#plans.get(key) ?? this.#make(folded.text, want, parameterCount, shape, written)
    // a table that is unknown now may be there the next time
    if (!isUnknownTable(plan)) this.#plans.set(key, plan)
    return unfolded(plan, sql, folded)
  }

  /**
   * Makes sure that triggers and this client agree on every table: on how it is recorded, and on its columns.
   *
   * @throws AuditError `AUDIT_TABLE_MISSING`, `AUDIT_LOG_UNPROTECTED`, `AUDIT_LOG_OUTDATED`, `AUDIT_OPTIONS_DIFFER` or `AUDIT_TRIGGERS_OUTDATED`
   * @throws NotRead
   */
  verifyTriggers(): void {
    requireLog(this.catalog, this.#configuration.options.table)
    const unprotected = unprotectedLog(this.catalog, this.#configuration.options.table)
    if (unprotected) throw unprotected
    void this.#functions
    const tables = findTables(this.catalog, recordedTables(this.catalog).noted)
    const wanted = tables.map((table) => this.#track(table)).filter(({ isWanted }) => isWanted)
    for (const tracked of wanted) {
      refuseDifferences(tracked, watchDifferences(tracked, this.catalog, this.#configuration.options.table))
    }
    refuseOutdated(wanted.map(({ table }) => table))
  }

  #make(text: string, want: Want, parameterCount: number, shape: EntryShape, written?: number): Plan {
    if (/^[\s;]*$/.test(text)) return pass // an empty statement, which PostgreSQL accepts
    const syntax = parseSql(text)
    const classified = classify(syntax, this.catalog, written)
    if (classified.kind === 'read') return pass
    if (classified.kind === 'uncapturable') return this.#uncapturable(classified.reason, syntax, text, shape)
    const { statement, table, obstacle } = classified
    // a statement with too few arguments must fail as usual, not find ours in their place
    if (countParameters(syntax) !== parameterCount) return { kind: 'pass', writes: true }
    const tracked = this.#track(table)
    refuseIncomplete(tracked.table)
    refuseDifferences(tracked, watchDifferences(tracked, this.catalog, this.#configuration.options.table))
    const reach = this.#trackedReach(statement, table)
    if (!tracked.isTracked && !reach) {
      const concerns = table.watch.isRecording || concernsTriggers(statement, table)
      // a rule makes other statements of this one, which may not take one more expression
      if (concerns && obstacle === 'rule') return this.#uncapturable(obstacle, syntax, text, shape)
      if (concerns) {
        return this.#carried(
          statement,
          tracked,
          obstacle === 'cursor',
          new EntryParameters(shape, parameterCount),
        )
      }
      // a write to the log that fails is an attempt worth an entry
      return tracked.isLog ? { kind: 'pass', writes: true } : pass
    }
    if (obstacle) return this.#uncapturable(obstacle, syntax, text, shape)
    const hurdle = hurdleTo(statement, tracked, reach, want, this.catalog.server)
    if (hurdle) return this.#uncapturable(hurdle, syntax, text, shape)
    if (statement.kind === 'upsert' && reach && !conflictKey(statement.conflict, table))
      return this.#uncapturable('upsert-without-values', syntax, text, shape)
    const statementText = withoutValues(text)
    const input = {
      tracked,
      reach,
      want,
      parameterCount,
      shape,
      statementText,
      session: written !== undefined,
    }
    const plan = this.#audited(statement, input)
    const restriction = restrictionOf(statement, table, reach)
    if (!restriction) return plan
    const { ask, records, isLockless } = restriction
    const otherwise =
      records === 'nothing'
        ? this.#uncapturable('row-security', syntax, text, shape)
        : records === 'rows'
          ? plan
          : this.#audited(statement, { ...input, isLockless, isIncomplete: true })
    return { ...plan, restricted: { ask, plan: otherwise, isIncomplete: records !== 'rows' } }
  }

  /** The plan of a statement that its role may run, but not return all of: its text is recorded. */
  textOnly(sql: string, shape: EntryShape): Plan {
    return this.#uncapturable('privilege', parseSql(sql), sql, shape)
  }

  /** Triggers record all that the statement changes. */
  #carried(
    statement: WriteStatement,
    tracked: TrackedTable,
    isCursor: boolean,
    parameters: EntryParameters,
  ): CarriedPlan {
    const { table } = tracked
    this.#requireLog()
    const call = contextCall(this.#functions, table, parameters, causeOf(statement, tracked))
    const isInsert = statement.kind === 'insert' || statement.kind === 'upsert'
    return {
      kind: 'carried',
      ...carryContext(statement, call, isCursor),
      parameters,
      ahead: isInsert && table.beforeInsert ? this.#contextAhead(parameters.shape) : undefined,
    }
  }

  #contextAhead(shape: EntryShape): ContextStatement {
    const parameters = new EntryParameters(shape, 0)
    return {
      sql: `SELECT ${this.#functions.nextContext}(${parameters.reference('contextText')})`,
      parameters,
    }
  }

  #audited(
    statement: WriteStatement,
    {
      parameterCount,
      shape,
      statementText,
      session,
      ...rest
    }: Pick<RewriteInput, 'tracked' | 'reach' | 'want'> & {
      readonly parameterCount: number
      readonly shape: EntryShape
      readonly isLockless?: boolean
      readonly isIncomplete?: boolean
      readonly statementText: string
      /** The statement's names depend on the session, and perhaps the log's as well. */
      readonly session: boolean
    },
  ): AuditedPlan {
    const log = this.#configuration.options.table
    this.#requireLog()
    const hasUuidv7 = this.catalog.server.makesUuidv7
    const parameters = new EntryParameters(shape, parameterCount, rest.want === 'rows', hasUuidv7)
    const later = new EntryParameters(shape, 0)
    const { tracked } = rest
    const { lock, readLater, ...rewritten } = rewrite(statement, {
      ...rest,
      guard: concernsTriggers(statement, tracked.table)
        ? contextCall(this.#functions, tracked.table, parameters, causeOf(statement, tracked))
        : unwatchedGuard(this.#functions, tracked.table),
      catalog: this.catalog,
      track: (table) => this.#track(table),
      lockedRows: `$${parameterCount + 1}::pg_catalog.text`,
      entry: parameters,
      later,
      note: (reason, entry) => noteEntry(statementText, reason, entry),
      log: session ? this.#qualifiedLog : log,
      // the log's function has its table's name as the migration spells it
      recorder: session ? undefined : findRecorder(this.catalog, log),
    })
    return {
      kind: 'audited',
      parameters,
      lacksPrivilege: lacksPrivilege(statement, tracked.table, rest.reach),
      ...rewritten,
      ...(lock && {
        lock: {
          rows: renumber(lock.rows),
          ...(lock.reached !== undefined && { reached: renumber(lock.reached) }),
          isDeep: lock.isDeep,
        },
      }),
      ...(readLater !== undefined && { readLater: { sql: readLater, parameters: later } }),
    }
  }

  #uncapturable(
    reason: UncapturableReason,
    syntax: Syntax | undefined,
    text: string,
    shape: EntryShape,
  ): Plan {
    const written = syntax && writtenTables(syntax)
    // a view and a rule write to tables that the text does not name
    const leadsElsewhere = reason === 'not-a-table' || reason === 'rule'
    const isDefinition = reason === 'definition' || reason === 'select-into' || reason === 'unknown-table'
    const isRecorded =
      !isDefinition &&
      (written && !leadsElsewhere ? written.every((name) => this.#isRecorded(name)) : this.#recordsAll)
    const { hasTriggers } = recordedTables(this.catalog)
    if (isRecorded && !hasTriggers) return { kind: 'pass', writes: true }
    this.#requireLog()
    return {
      kind: 'uncapturable',
      reason,
      statement: withoutValues(text),
      entry: isRecorded ? undefined : rawEntry(reason, this.#qualifiedLog, shape),
      ahead: hasTriggers ? this.#contextAhead(shape) : undefined,
    }
  }

  /** Refuses a write that can't be recorded, and tells of a log that could be changed, once. */
  #requireLog(): void {
    const { table, onError } = this.#configuration.options
    requireLog(this.catalog, table)
    const unprotected = this.#isLogChecked ? undefined : unprotectedLog(this.catalog, table)
    this.#isLogChecked = true
    if (!unprotected) return
    if (onError) onError(unprotected)
    else process.emitWarning(unprotected.message, { code: unprotected.code })
  }

  /** Whether triggers record all that a write to a table changes, or none of it is wanted in the log. */
  #isRecorded(name: TableName): boolean {
    // without a schema, the session decides which one it is
    const named = findTables(this.catalog, [name.name])
    if (name.schema === undefined && named.length > 1)
      return named.every(({ schema }) => this.#isRecorded({ schema, name: name.name }))
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
    return [table, ...reached].every((one) => isTable(one) && !this.#track(one).isTracked)
  }

  /** Whether triggers record every table wanted in the log; Prisma's list of migrations is not one. */
  get #recordsAll(): boolean {
    this.#knowsRecordsAll ??= recordedTables(this.catalog).unrecorded.every(
      (table) => table.name === '_prisma_migrations' || !this.#isNameWanted(table),
    )
    return this.#knowsRecordsAll
  }

  get #qualifiedLog(): TableName {
    const { table } = this.#configuration.options
    return findTable(this.catalog, table) ?? table
  }

  /** Whether the options want changes of a table in the log. Only for what may be a link its columns have to be known. */
  #isNameWanted(name: Required<TableName>): boolean {
    const { columns = [] } = (this.#models.hasLink(name.name) && findTable(this.catalog, name)) || {}
    return wantsTable({ ...name, columns }, this.#models, this.#configuration.options)
  }

  get #functions(): ContextFunctions {
    const { table } = this.#configuration.options
    const functions = findContextFunctions(this.catalog, table)
    if (functions) return functions
    throw logOutdated(table)
  }

  /** What referential actions can reach from a statement; undefined when none of it is tracked. */
  #trackedReach(statement: WriteStatement, table: Table): Reach | undefined {
    const reach = reachOfStatement(statement, table)
    return reach?.edges.some((edge) => this.#track(edge.key.child).isTracked) ? reach : undefined
  }

  #track(table: Table): TrackedTable {
    const known =
      this.#tables.get(table) ??
      new TrackedTable(table, this.#models, this.#configuration.options, this.catalog)
    this.#tables.set(table, known)
    return known
  }
}

/** What referential actions can reach from a statement, tracked or not. */
function reachOfStatement(statement: WriteStatement, table: Table): Reach | undefined {
  if (statement.kind === 'insert') return undefined
  return statement.kind === 'delete'
    ? reachOf(table, 'delete', [])
    : reachOf(table, 'update', statement.assigned)
}

/** Whether triggers may have to know who acts: where none records what the statement reaches, nobody does. */
function concernsTriggers(statement: WriteStatement, table: Table): boolean {
  const reached = reachOfStatement(statement, table)?.tables ?? []
  return table.watch.fingerprint !== '' || reached.some(({ watch }) => watch.isRecording)
}

/** What referential actions of a statement have as their cause, if no trigger says so. */
function causeOf(statement: WriteStatement, tracked: TrackedTable): string | undefined {
  if (tracked.table.watch.isRecording || statement.kind === 'insert') return undefined
  return tracked.action(statement.kind === 'delete' ? 'delete' : 'update')
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

/** One plan serves all statements that differ only in the length of lists and in comments at the end. */
function planKey(
  { text }: FoldedStatement,
  parameterCount: number,
  want: Want,
  shape: EntryShape,
  written?: number,
): string {
  return `${written ?? ''} ${want} ${parameterCount}${shape.operation ? 'o' : ''}${shape.metadata ? 'm' : ''}${shape.revertOf ? 'r' : ''} ${text}`
}

export function isUnknownTable(plan: Plan): boolean {
  return plan.kind === 'uncapturable' && plan.reason === 'unknown-table'
}

/** The plan of a folded statement, unfolded. */
function unfolded(plan: Plan, sql: string, folded: FoldedStatement): Plan {
  const { expand, trailer, isFolded } = folded
  if (trailer === '' && !isFolded) return plan
  if (plan.kind === 'pass') return plan
  if (plan.kind === 'uncapturable') return isFolded ? { ...plan, statement: withoutValues(sql) } : plan
  if (plan.kind === 'carried') return { ...plan, sql: expand(plan.sql) + trailer }
  const { lock, restricted } = plan
  return {
    ...plan,
    restricted: restricted && { ...restricted, plan: unfolded(restricted.plan, sql, folded) },
    sql: expand(plan.sql) + trailer,
    ...(lock && {
      lock: {
        ...lock,
        rows: renumberFolded(lock.rows, expand),
        ...(lock.reached && { reached: renumberFolded(lock.reached, expand) }),
      },
    }),
  }
}
