import { AuditError } from '../errors.ts'
import { columnNames } from '../log/columns.ts'
import { type Catalog, findColumn, findTable } from '../postgres/catalog.ts'
import { type Connection, isPool } from '../postgres/connection.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { readCatalog } from '../postgres/read-catalog.ts'
import type { CaptureConfiguration } from './configuration.ts'
import { loadParser } from './parse/syntax.ts'
import { Planner } from './plan.ts'
import { runOutsideScope } from './scope.ts'

const oldestServer = 14

/** What the tap knows about the database behind an adapter: its catalog, and the plans made from it. */
export class Database {
  readonly #defaultSchema: string
  #catalog: Catalog | undefined
  #reading: Promise<Catalog> | undefined
  #forgotten = 0
  /** Transactions that changed definitions, each with its own catalog. */
  readonly #redefining = new Map<Connection, Catalog | undefined>()
  #planners = new WeakMap<CaptureConfiguration, Planner>()

  constructor(defaultSchema: string) {
    this.#defaultSchema = defaultSchema
  }

  /** The planner of a configuration, if there is one and its catalog is still valid. */
  knownPlanner(configuration: CaptureConfiguration, connection: Connection): Planner | undefined {
    const planner = this.#planners.get(configuration)
    const catalog = this.#redefining.has(connection) ? this.#redefining.get(connection) : this.#catalog
    return planner?.catalog === catalog ? planner : undefined
  }

  /** The planner of a configuration. The first call reads the catalog, on the connection of the current statement. */
  async planner(configuration: CaptureConfiguration, connection: Connection): Promise<Planner> {
    const catalog = await this.#read(connection)
    const known = this.#planners.get(configuration)
    if (known?.catalog === catalog) return known
    try {
      requireLog(catalog, configuration)
    } catch (error) {
      this.forget() // the migration may be applied while the application runs
      throw error
    }
    const planner = new Planner(catalog, configuration, this.#defaultSchema)
    this.#planners.set(configuration, planner)
    return planner
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

  /** Forgets the catalog: the next statement reads it again. */
  forget(): void {
    this.#catalog = undefined
    this.#reading = undefined
    this.#forgotten++ // a read in progress may be older than the reason to forget
  }

  /**
   * Calls on the pool share one read. A transaction reads on its own connection. It never waits for a read that waits
   * for a connection, since it may hold the last one.
   */
  async #read(connection: Connection): Promise<Catalog> {
    if (this.#redefining.has(connection)) {
      const catalog =
        this.#redefining.get(connection) ?? (await runOutsideScope(() => readCatalog(connection)))
      this.#redefining.set(connection, catalog)
      return catalog
    }
    if (this.#catalog) return this.#catalog
    if (!isPool(connection)) return this.#readOn(connection)
    const reading = this.#reading ?? this.#readOn(connection)
    this.#reading = reading
    try {
      return await reading
    } finally {
      if (this.#reading === reading) this.#reading = undefined
    }
  }

  async #readOn(connection: Connection): Promise<Catalog> {
    const forgotten = this.#forgotten
    // the parser loads while the server opens a connection and answers
    const [catalog] = await Promise.all([runOutsideScope(() => readCatalog(connection)), loadParser()])
    if (forgotten === this.#forgotten) this.#catalog ??= catalog
    return this.#catalog ?? catalog
  }
}

function requireLog(catalog: Catalog, { options }: CaptureConfiguration): void {
  if (catalog.server.major < oldestServer) {
    throw new AuditError(
      'AUDIT_UNSUPPORTED_DATABASE',
      `The server is PostgreSQL ${catalog.server.major}, but the audit needs 14 or newer. Nothing was written. Upgrade the server.`,
    )
  }
  const log = findTable(catalog, options.table)
  const name = quoteTable(options.table)
  const missing = log && columnNames.filter((column) => !findColumn(log, column))
  if (missing?.length === 0) return
  throw new AuditError(
    'AUDIT_TABLE_MISSING',
    `${missing ? `The table ${name} lacks ${missing.join(', ')}` : `The audit log's table ${name} is not in the database`}, so a change could not be recorded. Nothing was written. Run "npx prisma-extension-audit init" and "npx prisma migrate deploy", or name the log's table with the option table.`,
  )
}
