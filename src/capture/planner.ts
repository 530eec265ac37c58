import { LRUCache } from 'lru-cache'
import { type Catalog, findTables } from '../postgres/catalog.ts'
import type { CaptureConfiguration } from './configuration.ts'
import { planKey, unfolded } from './folded-plan.ts'
import { foldLists } from './parse/fold.ts'
import { readPlain } from './parse/plain.ts'
import { parseSql } from './parse/syntax.ts'
import { unqualifiedTable, writtenTables } from './parse/written-tables.ts'
import { isUnknownTable, type Plan } from './plan.ts'
import { planOf, textOnlyPlan } from './plan-of.ts'
import { Recording } from './recording.ts'
import type { Want } from './rewrite/audited-statement.ts'
import type { EntryShape } from './rewrite/entry-parameters.ts'

/** Plans are kept by statement text, so a statement is parsed and rewritten once. Bounded, so memory can't grow. */
const cachedPlans = 1_000
const cachedCharacters = 8 * 1024 * 1024

/** Makes plans for one configuration and one state of the catalog. */
export class Planner {
  readonly catalog: Catalog
  readonly #recording: Recording
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
    this.#recording = new Recording(catalog, configuration, defaultSchema)
  }

  /**
   * The name of the table that a statement writes to, if it has no schema and may mean several tables: in a transaction
   * any, as `search_path` may have changed, or a temporary table have that name.
   *
   * @throws NotRead
   * @throws ParserNeeded
   */
  openName(sql: string, isInTransaction: boolean): string | undefined {
    return this.#openName(foldLists(sql).text, isInTransaction)
  }

  #openName(text: string, isInTransaction: boolean): string | undefined {
    // what is read without the parser names its table with its schema
    const name =
      this.#openNames.get(text) ?? (readPlain(text) ? '' : (unqualifiedTable(parseSql(text)) ?? ''))
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

  /**
   * The plan of a statement that was planned before, if its text alone says which table it writes to: see
   * {@link openName}.
   *
   * @throws NotRead
   * @throws ParserNeeded
   */
  known(
    sql: string,
    parameterCount: number,
    want: Want,
    shape: EntryShape,
    isInTransaction: boolean,
  ): Plan | undefined {
    const folded = foldLists(sql)
    if (this.#openName(folded.text, isInTransaction) !== undefined) return undefined
    const plan = this.#plans.get(planKey(folded, parameterCount, want, shape))
    return plan && unfolded(plan, sql, folded)
  }

  /**
   * The plan for a statement with `parameterCount` parameters.
   *
   * @param written the table that the statement writes to, if its name alone does not say: its oid
   * @throws NotRead
   * @throws ParserNeeded
   */
  plan(sql: string, parameterCount: number, want: Want, shape: EntryShape, written?: number): Plan {
    const folded = foldLists(sql)
    const key = planKey(folded, parameterCount, want, shape, written)
    const plan =
      this.#plans.get(key) ?? planOf(this.#recording, folded.text, { want, parameterCount, shape, written })
    // a table that is unknown now may be there the next time
    if (!isUnknownTable(plan)) this.#plans.set(key, plan)
    return unfolded(plan, sql, folded)
  }

  /** The plan of a statement that its role may run, but not return all of: its text is recorded. */
  textOnly(sql: string, shape: EntryShape): Plan {
    return textOnlyPlan(this.#recording, sql, shape)
  }

  /** @see Recording.verifyTriggers */
  verifyTriggers(): void {
    this.#recording.verifyTriggers()
  }
}
