import type { TableName } from './identifiers.ts'
import type { Server } from './server.ts'
import type { Watch } from './watch.ts'

/**
 * What the rewriter knows about a database, from pg_catalog: the source of truth for keys, actions and types. It grows:
 * a table is read when a statement first needs it, with all that its changes can reach.
 */
export interface Catalog {
  readonly server: Server
  readonly searchPath: readonly string[]
  readonly writingFunctions: ReadonlySet<string>
  /** The functions of the log's migrations that this role may execute. */
  readonly logFunctions: readonly {
    readonly schema: string
    readonly name: string
    readonly source: string
  }[]
  /** What was looked up so far, by name: the tables of that name in any schema, with all that their changes can reach. */
  readonly tables: ReadonlyMap<string, readonly Table[]>
  /** Every table read so far, by its oid: those above, and those that they reach. */
  readonly read: ReadonlyMap<number, { readonly table: Table }>
  readonly recorded: RecordedTables | undefined
}

/** Which tables of a database triggers record. */
export interface RecordedTables {
  readonly hasTriggers: boolean
  /** The names of those that have the trigger before each statement. */
  readonly noted: readonly string[]
  /** Those without triggers that record rows. */
  readonly unrecorded: readonly Required<TableName>[]
}

/** A part of the catalog has to be read first. Whoever makes a plan catches this, reads it, and starts again. */
export class NotRead extends Error {
  /** @param part names of tables, or which tables triggers record */
  constructor(readonly part: readonly string[] | 'recorded') {
    super('This part of the catalog has not been read')
  }
}

export interface Table {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `pg_class.relkind`: r table, p partitioned, v view, m materialized view, f foreign. */
  readonly kind: string
  /** Other tables inherit from it (not as partitions), so that `ONLY` matters. */
  readonly inherited: boolean
  readonly partition: boolean
  /** A rewrite rule replaces its writes or runs with them. */
  readonly rules: boolean
  /** A BEFORE UPDATE row trigger may change more than the statement says. */
  readonly beforeUpdate: boolean
  /** A BEFORE INSERT trigger may write elsewhere. */
  readonly beforeInsert: boolean
  /** A BEFORE DELETE row trigger may keep a row. */
  readonly beforeDelete: boolean
  /** Row-level security: `uniform` if every policy is FOR ALL, so that a role may read what it may change. */
  readonly security: 'uniform' | 'split' | null
  /** The role that read the catalog may read every column. */
  readonly readable: boolean
  /** Triggers of the log's migration refuse every UPDATE, DELETE and TRUNCATE, whatever the session says. */
  readonly immutable: boolean
  readonly watch: Watch
  readonly columns: readonly Column[]
  /** Empty for a table without a primary key. */
  readonly primaryKey: readonly Column[]
  /** Unique indexes that a foreign key may refer to, including the primary key's. */
  readonly uniqueKeys: readonly { readonly name: string; readonly columns: readonly Column[] }[]
  /** Foreign keys of other tables (or its own) that point here, as far as their actions can be reached. */
  readonly referencedBy: readonly ForeignKey[]
}

export interface Column {
  /** `pg_attribute.attnum`, which a rename does not change. */
  readonly number: number
  readonly name: string
  readonly type: ColumnType
  /** The type as declared, `character varying(50)`: usable in a cast. */
  readonly declared: string
  readonly generated: boolean
  /** `GENERATED ALWAYS AS IDENTITY`. */
  readonly identity: boolean
  readonly nullable: boolean
  /** The default as an SQL expression. */
  readonly default: string | null
}

/** A type, with domains resolved. */
export interface ColumnType {
  /** The name of a built-in type (`int4`), empty for others. */
  readonly builtIn: string
  readonly name: string
  readonly isEnum: boolean
  /** The number of fractional digits of a second, for the timestamp types. */
  readonly precision: number
  readonly element: ColumnType | undefined
}

export type ReferentialAction = 'cascade' | 'set null' | 'set default' | 'none'

export interface ForeignKey {
  readonly oid: number
  readonly name: string
  readonly child: Table
  readonly parent: Table
  readonly pairs: readonly { readonly child: Column; readonly parent: Column }[]
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
  /** The columns that ON DELETE SET NULL or SET DEFAULT sets. */
  readonly setOnDelete: readonly Column[]
}

/**
 * The table that a statement names; without a schema, the first on the search path.
 *
 * @throws NotRead
 */
export function findTable(catalog: Catalog, { schema, name }: TableName): Table | undefined {
  const named = catalog.tables.get(name)
  if (!named) throw new NotRead([name])
  if (schema !== undefined) return named.find((table) => table.schema === schema)
  for (const candidate of catalog.searchPath) {
    const table = named.find((one) => one.schema === candidate)
    if (table) return table
  }
  return undefined
}

/**
 * The columns of a table's primary key.
 *
 * @throws NotRead
 */
export function keyOfTable(catalog: Catalog, { schema, name }: Required<TableName>): readonly Column[] {
  for (const { table } of catalog.read.values()) {
    if (table.name === name && table.schema === schema) return table.primaryKey
  }
  return findTable(catalog, { schema, name })?.primaryKey ?? []
}

/**
 * All tables with one of these names.
 *
 * @throws NotRead
 */
export function findTables(catalog: Catalog, names: readonly string[]): Table[] {
  const unread = names.filter((name) => !catalog.tables.has(name))
  if (unread.length > 0) throw new NotRead(unread)
  return names.flatMap((name) => catalog.tables.get(name) ?? [])
}

/** @throws NotRead */
export function recordedTables({ recorded }: Catalog): RecordedTables {
  if (!recorded) throw new NotRead('recorded')
  return recorded
}

export function findColumn(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name)
}
