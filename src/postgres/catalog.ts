import { catalogQuery } from './catalog-query.ts'
import { type Connection, plain } from './connection.ts'
import type { TableName } from './identifiers.ts'
import { type Server, serverOf } from './server.ts'

/** What the rewriter knows of a database, from pg_catalog: the source of truth for keys, actions and types. */
export interface Catalog {
  readonly server: Server
  readonly searchPath: readonly string[]
  readonly tables: readonly Table[]
  readonly writingFunctions: ReadonlySet<string>
  /** Functions that a migration of ours may have made, as far as this role may execute them. */
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
  /** A rewrite rule replaces or follows its writes. */
  readonly rules: boolean
  /** A BEFORE UPDATE row trigger may change more than the statement says. */
  readonly beforeUpdate: boolean
  readonly columns: readonly Column[]
  /** Empty for a table without a primary key. */
  readonly primaryKey: readonly Column[]
  /** Unique indexes that a foreign key may refer to, the primary key's included. */
  readonly uniqueKeys: readonly { readonly name: string; readonly columns: readonly Column[] }[]
  /** Foreign keys of other tables (or its own) that point here. */
  readonly referencedBy: readonly ForeignKey[]
}

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** The type as declared, `character varying(50)`: fit for a cast. */
  readonly declared: string
  readonly generated: boolean
  /** The default as an SQL expression. */
  readonly default: string | null
}

/** A type with domains resolved away. */
export interface ColumnType {
  /** The name for a built-in type (`int4`), empty for others. */
  readonly builtIn: string
  readonly name: string
  readonly isEnum: boolean
  /** Digits kept of a second, for the timestamp types. */
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

/** Reads the catalog on the very connection of the statement at hand: another one may not be free. */
export async function readCatalog(connection: Connection): Promise<Catalog> {
  const { rows } = await connection.queryRaw(plain(catalogQuery))
  return buildCatalog(JSON.parse(String(rows[0]?.[0])) as RawCatalog)
}

/** The table a statement names; without a schema, the first on the search path. */
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

interface RawCatalog {
  /** `server_version_num`. */
  version: number
  searchPath: string[]
  tables: RawTable[]
  foreignKeys: RawForeignKey[]
  types: RawType[]
  writingFunctions: string[]
  logFunctions: Catalog['logFunctions']
}

interface RawTable {
  oid: number
  schema: string
  name: string
  kind: string
  partition: boolean
  inherited: boolean
  rules: boolean
  beforeUpdate: boolean
  columns: {
    number: number
    name: string
    type: number
    modifier: number
    declared: string
    generated: boolean
    default: string | null
  }[]
  keys: { name: string; primary: boolean; columns: number[] }[]
}

interface RawForeignKey {
  name: string
  child: number
  parent: number
  childColumns: number[]
  parentColumns: number[]
  onDelete: string
  onUpdate: string
  setColumns: number[] | null
}

interface RawType {
  oid: number
  schema: string
  name: string
  kind: string
  category: string
  element: number
  base: number
  baseModifier: number
}

function buildCatalog(raw: RawCatalog): Catalog {
  const types = new Map(raw.types.map((type) => [type.oid, type]))
  const columnsOf = new Map<number, Map<number, Column>>()
  const tables = raw.tables.map((table) => {
    const columns = new Map(
      table.columns.map(({ number, type, modifier, ...rest }) => [
        number,
        { ...rest, type: resolveType(types, type, modifier) },
      ]),
    )
    columnsOf.set(table.oid, columns)
    const keys = table.keys.map(({ columns: numbers, ...key }) => ({
      ...key,
      columns: pick(columns, numbers),
    }))
    return {
      ...table,
      columns: [...columns.values()],
      primaryKey: keys.find((key) => key.primary)?.columns ?? [],
      uniqueKeys: keys,
      referencedBy: [] as ForeignKey[],
    }
  })
  const byOid = new Map(tables.map((table) => [table.oid, table]))
  for (const key of raw.foreignKeys) {
    const child = byOid.get(key.child)
    const parent = byOid.get(key.parent)
    if (!child || !parent) continue
    const childColumns = pick(columnsOf.get(key.child), key.childColumns)
    const parentColumns = pick(columnsOf.get(key.parent), key.parentColumns)
    parent.referencedBy.push({
      name: key.name,
      child,
      parent,
      pairs: childColumns.flatMap((column, index) => {
        const target = parentColumns[index]
        return target ? [{ child: column, parent: target }] : []
      }),
      onDelete: actions[key.onDelete] ?? 'none',
      onUpdate: actions[key.onUpdate] ?? 'none',
      setOnDelete: key.setColumns?.length ? pick(columnsOf.get(key.child), key.setColumns) : childColumns,
    })
  }
  return {
    server: serverOf(raw.version),
    searchPath: raw.searchPath,
    tables,
    writingFunctions: new Set(raw.writingFunctions),
    logFunctions: raw.logFunctions,
  }
}

/** `pg_constraint.confdeltype`; a (no action) and r (restrict) change nothing. */
const actions: Record<string, ReferentialAction> = { c: 'cascade', n: 'set null', d: 'set default' }

function pick(columns: Map<number, Column> | undefined, numbers: number[]): Column[] {
  return numbers.flatMap((number) => columns?.get(number) ?? [])
}

function resolveType(types: Map<number, RawType>, oid: number, modifier: number): ColumnType {
  const type = types.get(oid)
  if (type?.kind === 'd') return resolveType(types, type.base, type.baseModifier)
  const isArray = type?.category === 'A' && type.element !== 0
  return {
    builtIn: type?.schema === 'pg_catalog' ? type.name : '',
    name: type?.name ?? '',
    isEnum: type?.kind === 'e',
    precision: modifier < 0 ? 6 : modifier,
    element: isArray ? resolveType(types, type.element, modifier) : undefined,
  }
}
