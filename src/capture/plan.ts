import { LRUCache } from 'lru-cache'
import { ModelIndex } from '../models/data-model.ts'
import type { Catalog, Table } from '../postgres/catalog.ts'
import type { CaptureConfiguration } from './configuration.ts'
import { conflictKey } from './parse/conflict.ts'
import { type FoldedStatement, foldLists } from './parse/fold.ts'
import { countParameters, type Renumbered, renumber, renumberFolded } from './parse/parameters.ts'
import type { WriteStatement } from './parse/statement.ts'
import { parseSql } from './parse/syntax.ts'
import { classify, type UncapturableReason } from './parse/uncapturable.ts'
import { withoutValues } from './parse/without-values.ts'
import type { RewriteInput, Rewritten, Want } from './rewrite/audited-statement.ts'
import { EntryParameters, type EntryShape } from './rewrite/entry-parameters.ts'
import { type RawEntry, rawEntry } from './rewrite/raw-entry.ts'
import { findRecorder, type Recorder } from './rewrite/recorder.ts'
import { type Reach, reachOf } from './rewrite/referential-actions.ts'
import { rewrite } from './rewrite/rewrite.ts'
import { TrackedTable } from './rewrite/tracked-table.ts'

/** What to do with a statement. */
export type Plan = { readonly kind: 'pass'; readonly writes?: true } | UncapturablePlan | AuditedPlan

/** Run it as it is, and record its text. */
export interface UncapturablePlan {
  readonly kind: 'uncapturable'
  readonly reason: UncapturableReason
  /** The statement without its values. */
  readonly statement: string
  readonly entry: RawEntry
}

/** Run the audited statement in its place. */
export interface AuditedPlan extends Omit<Rewritten, 'lock' | 'readLater'> {
  readonly kind: 'audited'
  /** Behind the statement's own. */
  readonly parameters: EntryParameters
  /** Statements ahead, with some of the statement's own parameters; see {@link Rewritten}. */
  readonly lock?: { readonly rows: Renumbered; readonly reached?: Renumbered; readonly isDeep: boolean }
  readonly readLater?: { readonly sql: string; readonly parameters: EntryParameters }
}

const pass: Plan = { kind: 'pass' }

/** Plans are kept by statement text, so that a statement is parsed and rewritten once. Bounded: memory can't grow. */
const cachedPlans = 1_000
const cachedCharacters = 8 * 1024 * 1024

/** Makes plans for one configuration on one state of the catalog. */
export class Planner {
  readonly catalog: Catalog
  readonly #configuration: CaptureConfiguration
  readonly #models: ModelIndex
  readonly #recorder: Recorder | undefined
  readonly #tables = new Map<Table, TrackedTable>()
  readonly #plans = new LRUCache<string, Plan>({
    max: cachedPlans,
    maxSize: cachedCharacters,
    sizeCalculation: (plan, key) => key.length + (plan.kind === 'audited' ? plan.sql.length : 0) + 1,
  })

  /** @param defaultSchema where models without `@@schema` live */
  constructor(catalog: Catalog, configuration: CaptureConfiguration, defaultSchema: string) {
    this.catalog = catalog
    this.#configuration = configuration
    this.#models = new ModelIndex(configuration.dataModel, defaultSchema)
    this.#recorder = findRecorder(catalog, configuration.options.table)
  }

  /** The plan for a statement with `parameterCount` parameters. The parser must be loaded. */
  plan(sql: string, parameterCount: number, want: Want, shape: EntryShape): Plan {
    const folded = foldLists(sql)
    const key = `${want} ${parameterCount}${shape.operation ? 'o' : ''}${shape.metadata ? 'm' : ''}${shape.revertOf ? 'r' : ''} ${folded.text}`
    let plan = this.#plans.get(key)
    if (!plan) {
      plan = this.#make(folded.text, want, parameterCount, shape)
      this.#plans.set(key, plan)
    }
    return folded.trailer === '' && !folded.isFolded ? plan : unfolded(plan, sql, folded)
  }

  #make(text: string, want: Want, parameterCount: number, shape: EntryShape): Plan {
    if (/^[\s;]*$/.test(text)) return pass // an empty statement, which PostgreSQL takes
    const syntax = parseSql(text)
    const classified = classify(syntax, this.catalog)
    if (classified.kind === 'read') return pass
    if (classified.kind === 'uncapturable') return this.#uncapturable(classified.reason, text, shape)
    const { statement, table } = classified
    // a statement with too few arguments must fail as it would, and not find ours in their place
    if (countParameters(syntax) !== parameterCount) return { kind: 'pass', writes: true }
    const tracked = this.#track(table)
    const reach = this.#trackedReach(statement, table)
    // a write to the log that fails is an attempt worth an entry
    if (!tracked.isTracked && !reach) return tracked.isLog ? { kind: 'pass', writes: true } : pass
    if (statement.kind === 'upsert' && reach && !conflictKey(statement.conflict, table))
      return this.#uncapturable('upsert-without-values', text, shape)
    return this.#audited(statement, { tracked, reach, want, parameterCount, shape })
  }

  #audited(
    statement: WriteStatement,
    {
      parameterCount,
      shape,
      ...rest
    }: Pick<RewriteInput, 'tracked' | 'reach' | 'want'> & {
      readonly parameterCount: number
      readonly shape: EntryShape
    },
  ): AuditedPlan {
    const hasUuidv7 = this.catalog.server.makesUuidv7
    const parameters = new EntryParameters(shape, parameterCount, rest.want === 'rows', hasUuidv7)
    const later = new EntryParameters(shape, 0)
    const { lock, readLater, ...rewritten } = rewrite(statement, {
      ...rest,
      catalog: this.catalog,
      track: (table) => this.#track(table),
      entry: parameters,
      later,
      log: this.#configuration.options.table,
      recorder: this.#recorder,
    })
    return {
      kind: 'audited',
      parameters,
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

  #uncapturable(reason: UncapturableReason, text: string, shape: EntryShape): UncapturablePlan {
    const entry = rawEntry(reason, this.#configuration.options.table, shape)
    return { kind: 'uncapturable', reason, statement: withoutValues(text), entry }
  }

  /** What referential actions can reach from a statement; undefined where none of it is tracked. */
  #trackedReach(statement: WriteStatement, table: Table): Reach | undefined {
    if (statement.kind === 'insert') return undefined
    const reach =
      statement.kind === 'delete'
        ? reachOf(table, 'delete', [])
        : reachOf(table, 'update', statement.assigned)
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

/** The plan of a folded statement, for the whole one. */
function unfolded(plan: Plan, sql: string, { expand, trailer, isFolded }: FoldedStatement): Plan {
  if (plan.kind === 'pass') return plan
  if (plan.kind === 'uncapturable') return isFolded ? { ...plan, statement: withoutValues(sql) } : plan
  const { lock } = plan
  return {
    ...plan,
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
