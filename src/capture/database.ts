import { AuditError } from '../errors.ts'
import { NotRead } from '../postgres/catalog.ts'
import { type Connection, isPool } from '../postgres/connection.ts'
import { GrowingCatalog } from '../postgres/read-catalog.ts'
import type { CaptureConfiguration } from './configuration.ts'
import { loadParser, ParserNeeded } from './parse/syntax.ts'
import { Planner } from './planner.ts'
import { runOutsideScope } from './scope.ts'

/** What the tap knows about the database behind an adapter: its catalog, and the plans made from it. */
export class Database {
  readonly #defaultSchema: string
  #catalog: GrowingCatalog | undefined
  /** Transactions that changed definitions, each with its own catalog. */
  readonly #redefining = new Map<Connection, GrowingCatalog | undefined>()
  readonly #planners = new WeakMap<GrowingCatalog, WeakMap<CaptureConfiguration, Planner>>()
  /** Reads on the pool that are under way, by what they read. */
  readonly #reading = new Map<string, Promise<unknown>>()
  #forgotten = 0

  constructor(defaultSchema: string) {
    this.#defaultSchema = defaultSchema
  }

  /** The planner of a configuration, if there is one and its catalog is still valid. */
  knownPlanner(configuration: CaptureConfiguration, connection: Connection): Planner | undefined {
    const catalog = this.#known(connection)
    return catalog && this.#planners.get(catalog)?.get(configuration)
  }

  /**
   * Makes a plan. What it needs of the catalog is read first, on the connection of the current statement, and only
   * that; the parser is loaded when a statement needs it. A plan that can't be made may be possible later: the migration may
   * be applied while the application runs.
   */
  async plan<T>(
    configuration: CaptureConfiguration,
    connection: Connection,
    make: (planner: Planner) => T,
  ): Promise<T> {
    const log = configuration.options.table.name // which every write needs: read with the first table
    let mayBeOld = this.#known(connection) !== undefined
    let catalog = await this.#read(connection)
    while (true) {
      try {
        return make(this.#plannerOf(catalog, configuration))
      } catch (error) {
        if (error instanceof AuditError) {
          this.#forgetOn(connection)
          if (!mayBeOld) throw error
          mayBeOld = false // what is refused may have been mended since
          catalog = await this.#read(connection)
          continue
        }
        if (error instanceof ParserNeeded) {
          await loadParser()
          continue
        }
        if (!(error instanceof NotRead)) throw error
        const part = error.part === 'recorded' ? error.part : catalog.unreadOf([...error.part, log])
        if (await this.#readPart(catalog, part, connection)) continue
        this.#forgetOn(connection)
        catalog = await this.#read(connection)
      }
    }
  }

  /**
   * Notes that a statement on this connection changed definitions. Inside a transaction nobody else sees them, and they
   * may be rolled back. So from here to its end, the transaction has its own catalog.
   */
  redefinedOn(connection: Connection): void {
    if (isPool(connection)) this.forget()
    else this.#redefining.set(connection, undefined)
  }

  /** Notes that a transaction has ended. */
  ended(transaction: Connection): void {
    if (this.#redefining.delete(transaction)) this.forget()
  }

  /** Forgets the catalog: the next statement reads what it needs again. */
  forget(): void {
    this.#catalog = undefined
    this.#reading.clear()
    this.#forgotten++ // a read under way may be older than the reason to forget
  }

  /** Forgets which tables have these names: one may be newer than that. */
  forgetNames(names: readonly string[], connection: Connection): void {
    this.#known(connection)?.forgetNames(names)
  }

  #forgetOn(connection: Connection): void {
    if (this.#redefining.has(connection)) this.#redefining.set(connection, undefined)
    else this.forget()
  }

  #known(connection: Connection): GrowingCatalog | undefined {
    return this.#redefining.has(connection) ? this.#redefining.get(connection) : this.#catalog
  }

  #plannerOf(catalog: GrowingCatalog, configuration: CaptureConfiguration): Planner {
    const planners = this.#planners.get(catalog) ?? new WeakMap<CaptureConfiguration, Planner>()
    this.#planners.set(catalog, planners)
    const planner = planners.get(configuration) ?? new Planner(catalog, configuration, this.#defaultSchema)
    planners.set(configuration, planner)
    return planner
  }

  async #read(connection: Connection): Promise<GrowingCatalog> {
    const known = this.#known(connection)
    if (known) return known
    const read = () => runOutsideScope(() => GrowingCatalog.open(connection))
    if (this.#redefining.has(connection)) {
      const own = await read()
      this.#redefining.set(connection, own)
      return own
    }
    return this.#shared(connection, 'database', async () => {
      const forgotten = this.#forgotten
      const catalog = await read()
      if (forgotten === this.#forgotten) this.#catalog ??= catalog
      return this.#catalog ?? catalog
    })
  }

  #readPart(catalog: GrowingCatalog, part: NotRead['part'], connection: Connection): Promise<boolean> {
    const read = () => runOutsideScope(() => catalog.readPart(part, connection))
    return catalog === this.#catalog ? this.#shared(connection, part, read) : read()
  }

  /**
   * Calls on the pool share one read. A transaction reads on its own connection. It never waits for a read that waits
   * for a connection, since it may hold the last one.
   */
  #shared<T>(connection: Connection, what: NotRead['part'] | 'database', read: () => Promise<T>): Promise<T> {
    if (!isPool(connection)) return read()
    const key = JSON.stringify(what)
    const reading = (this.#reading.get(key) as Promise<T> | undefined) ?? read()
    this.#reading.set(key, reading)
    return reading.finally(() => {
      if (this.#reading.get(key) === reading) this.#reading.delete(key)
    })
  }
}
