import type { TableName } from './identifiers.ts'
import type { Server } from './server.ts'
import type { Watch } from './watch.ts'

/** What the rewriter knows about a database, from pg_catalog: the source of truth for keys, actions and types. */
export interface Catalog {
  readonly server: Server
  readonly searchPath: readonly string[]
  readonly tables: readonly Table[]
  readonly writingFunctions: ReadonlySet<string>
  /** The functions of the log's migrations that this role may execute. */
  readonly logFunctions: readonly {
    readonly schema: string
    readonly name: string
    readonly source: string
  }[]
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
  readonly watch: Watch
  readonly columns: readonly Column[]
  /** Empty for a table without a primary key. */
  readonly primaryKey: readonly Column[]
  /** Unique indexes that a foreign key may refer to, including the primary key's. */
  readonly uniqueKeys: readonly { readonly name: string; readonly columns: readonly Column[] }[]
  /** Foreign keys of other tables (or its own) that point here. */
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
  readonly name: string
  readonly child: Table
  readonly parent: Table
  readonly pairs: readonly { readonly child: Column; readonly parent: Column }[]
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
  /** The columns that ON DELETE SET NULL or SET DEFAULT sets. */
  readonly setOnDelete: readonly Column[]
}

/** The table that a statement names; without a schema, the first on the search path. */
export function findTable(catalog: Catalog, { schema, name }: TableName): Table | undefined {
  const named = catalog.tables.filter((table) => table.name === name)
  if (schema !== undefined) return named.find((table) => table.schema === schema)
  for (const candidate of catalog.searchPath) {
    const table = named.find((one) => one.schema === candidate)
    if (table) return table
  }
  return undefined
}

export function findColumn(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name)
}
