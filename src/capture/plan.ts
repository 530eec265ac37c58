import { LRUCache } from 'lru-cache'
import { ModelIndex } from '../models/data-model.ts'
import type { Catalog, Table } from '../postgres/catalog.ts'
import type { CaptureConfiguration } from './configuration.ts'
import { shorten } from './parse/shorten.ts'
import { countParameters, parse } from './parse/syntax.ts'
import { classify, type UncapturableReason } from './parse/uncapturable.ts'
import { EntryParameters, type EntryShape } from './rewrite/entry.ts'
import { findRecorder, type Recorder } from './rewrite/recorder.ts'
import { reachOf } from './rewrite/referential-actions.ts'
import { type Rewritten, rewrite, type Want } from './rewrite/rewrite.ts'
import { TrackedTable } from './rewrite/tracked-table.ts'

/** What to do with a statement. */
export type Plan =
  | { readonly kind: 'pass'; readonly writes?: true }
  | { readonly kind: 'uncapturable'; readonly reason: UncapturableReason }
  | ({
      readonly kind: 'audited'
      readonly parameters: EntryParameters
      readonly laterParameters: EntryParameters
    } & Rewritten)

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
    const short = shorten(sql)
    const key = `${want} ${parameterCount}${shape.operation ? 'o' : ''}${shape.metadata ? 'm' : ''}${shape.revertOf ? 'r' : ''} ${short.text}`
    let plan = this.#plans.get(key)
    if (!plan) {
      plan = this.#make(short.text, want, parameterCount, shape)
      this.#plans.set(key, plan)
    }
    if (plan.kind !== 'audited' || (short.trailer === '' && !short.isFolded)) return plan
    return {
      ...plan,
      sql: short.expand(plan.sql) + short.trailer,
      lockRows: plan.lockRows && short.expand(plan.lockRows),
      lockReached: plan.lockReached && short.expand(plan.lockReached),
    }
  }

  #make(text: string, want: Want, parameterCount: number, shape: EntryShape): Plan {
    if (/^[\s;]*$/.test(text)) return pass // an empty statement, which PostgreSQL takes
    const syntax = parse(text)
    const classified = classify(syntax, this.catalog)
    if (classified.kind === 'read') return pass
    if (classified.kind === 'uncapturable') return classified
    const { statement, table } = classified
    // a statement with too few arguments must fail as it would, and not find ours in their place
    if (countParameters(syntax) !== parameterCount) return { kind: 'pass', writes: true }
    const entry = new EntryParameters(shape, parameterCount, want === 'rows', this.catalog.version >= 180000)
    const later = new EntryParameters(shape, 0)
    const tracked = this.#track(table)
    const replaces = statement.kind !== 'insert' || statement.conflict?.action === 'update'
    const reach = replaces
      ? reachOf(table, statement.kind === 'delete' ? 'delete' : 'update', statement.assigned)
      : undefined
    const reachesTracked = reach?.edges.some((edge) => this.#track(edge.key.child).isTracked) ?? false
    // a write to the log that fails is an attempt worth an entry
    if (!tracked.isTracked && !reachesTracked) return tracked.isLog ? { kind: 'pass', writes: true } : pass
    const rewritten = rewrite({
      statement,
      tracked,
      catalog: this.catalog,
      reach: reachesTracked ? reach : undefined,
      track: (other) => this.#track(other),
      entry,
      later,
      log: this.#configuration.options.table,
      recorder: this.#recorder,
      want,
    })
    return { kind: 'audited', parameters: entry, laterParameters: later, ...rewritten }
  }

  #track(table: Table): TrackedTable {
    const known =
      this.#tables.get(table) ??
      new TrackedTable(table, this.#models, this.#configuration.options, this.catalog)
    this.#tables.set(table, known)
    return known
  }
}
