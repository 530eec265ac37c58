import {
  buildForeignKey,
  type RawForeignKey,
  type RawReach,
  type RawTables,
  tableBuilder,
} from './build-tables.ts'
import type { Catalog, ForeignKey, NotRead, RecordedTables, Table } from './catalog.ts'
import { databaseQuery, reachQuery, recordedQuery, tablesQuery } from './catalog-query.ts'
import { type Connection, plain, queryOf, type SqlQuery } from './connection.ts'
import { serverOf } from './server.ts'
import type { SqlClient } from './sql-client.ts'

interface RawDatabase extends Pick<Catalog, 'searchPath' | 'logFunctions'> {
  /** `server_version_num`. */
  version: number
  writingFunctions: string[]
}

/** The catalog as it is read, on the connections of the statements that need it: another one may not be free. */
export class GrowingCatalog implements Catalog {
  readonly server: Catalog['server']
  readonly searchPath: Catalog['searchPath']
  readonly writingFunctions: Catalog['writingFunctions']
  readonly logFunctions: Catalog['logFunctions']
  readonly tables = new Map<string, readonly Table[]>()
  recorded: RecordedTables | undefined
  /** `text` is what the database said of a table. */
  readonly read = new Map<number, { text: string; table: Table & { referencedBy: ForeignKey[] } }>()

  /** Reads what concerns every statement, and no table. */
  static async open(connection: Connection): Promise<GrowingCatalog> {
    return new GrowingCatalog(await readJson<RawDatabase>(connection, plain(databaseQuery)))
  }

  private constructor({ version, searchPath, writingFunctions, logFunctions }: RawDatabase) {
    this.server = serverOf(version)
    this.searchPath = searchPath
    this.writingFunctions = new Set(writingFunctions)
    this.logFunctions = logFunctions
  }

  /**
   * Reads a part that a plan needs.
   *
   * @returns false when a table is not as it was: the catalog has become outdated, and has to be forgotten
   */
  async readPart(part: NotRead['part'], connection: Connection): Promise<boolean> {
    if (part === 'recorded') {
      const { unrecorded, ...rest } = await readJson<RawRecorded>(connection, plain(recordedQuery))
      const tables = Object.entries(unrecorded).flatMap(([schema, names]) =>
        names.map((name) => ({ schema, name })),
      )
      this.recorded = { ...rest, unrecorded: tables }
      return true
    }
    const raw = await readJson<RawReach>(connection, queryOf(reachQuery, [part]))
    if (!this.#addTables(raw)) return false
    for (const key of raw.foreignKeys) this.#addForeignKey(key)
    for (const name of part) {
      const oids = raw.tables.filter((table) => table.name === name).map(({ oid }) => oid)
      this.tables.set(
        name,
        oids.flatMap((oid) => this.read.get(oid)?.table ?? []),
      )
    }
    return true
  }

  /** Those of the names that have not been looked up. */
  unreadOf(names: readonly string[]): string[] {
    return [...new Set(names)].filter((name) => !this.tables.has(name))
  }

  /** The names are looked up again. What is known of their tables stays. */
  forgetNames(names: readonly string[]): void {
    for (const name of names) this.tables.delete(name)
  }

  #addTables(raw: RawTables): boolean {
    const build = tableBuilder(raw.types)
    for (const one of raw.tables) {
      const text = JSON.stringify({ ...one, readable: undefined }) // which depends on the role that asks
      const known = this.read.get(one.oid)
      if (known && known.text !== text) return false
      if (!known) this.read.set(one.oid, { text, table: { ...build(one), referencedBy: [] } })
    }
    return true
  }

  #addForeignKey(raw: RawForeignKey): void {
    const child = this.read.get(raw.child)?.table
    const parent = this.read.get(raw.parent)?.table
    if (!child || !parent || parent.referencedBy.some(({ oid }) => oid === raw.oid)) return
    parent.referencedBy.push(buildForeignKey(raw, child, parent))
    // referential actions run in this order, and the locks taken ahead of them have to follow it
    parent.referencedBy.sort((one, other) => one.oid - other.oid)
  }
}

interface RawRecorded extends Omit<RecordedTables, 'unrecorded'> {
  unrecorded: Readonly<Record<string, readonly string[]>>
}

async function readJson<T>(connection: Connection, query: SqlQuery): Promise<T> {
  const { rows } = await connection.queryRaw(query)
  return JSON.parse(String(rows[0]?.[0])) as T
}

/** Reads the tables that have one of these names, in any schema. */
export async function readTables(
  client: SqlClient,
  names: readonly string[],
): Promise<Omit<Table, 'referencedBy'>[]> {
  const [row] = await client.query<{ catalog: string }>(tablesQuery, names)
  const { tables, types } = JSON.parse(row?.catalog ?? '') as RawTables
  return tables.map(tableBuilder(types))
}
