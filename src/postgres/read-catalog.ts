import type { Catalog, Column, ColumnType, ForeignKey, ReferentialAction, Table } from './catalog.ts'
import { catalogQuery, tablesQuery } from './catalog-query.ts'
import { type Connection, plain } from './connection.ts'
import { serverOf } from './server.ts'
import type { SqlClient } from './sql-client.ts'
import { type RawWatch, watchOf } from './watch.ts'

/** Reads the catalog on the connection of the current statement: another one may not be free. */
export async function readCatalog(connection: Connection): Promise<Catalog> {
  const { rows } = await connection.queryRaw(plain(catalogQuery))
  return buildCatalog(JSON.parse(String(rows[0]?.[0])) as RawCatalog)
}

/** Reads the tables that have one of these names, in any schema. */
export async function readTables(
  client: SqlClient,
  names: readonly string[],
): Promise<Omit<Table, 'referencedBy'>[]> {
  const [row] = await client.query<{ catalog: string }>(tablesQuery, names)
  return buildTables(JSON.parse(row?.catalog ?? '') as RawTables).map(({ table }) => table)
}

interface RawTables {
  tables: RawTable[]
  types: RawType[]
}

interface RawCatalog extends RawTables {
  /** `server_version_num`. */
  version: number
  searchPath: string[]
  foreignKeys: RawForeignKey[]
  writingFunctions: string[]
  logFunctions: Catalog['logFunctions']
}

interface RawTable extends RawWatch {
  oid: number
  schema: string
  name: string
  kind: string
  partition: boolean
  inherited: boolean
  rules: boolean
  beforeUpdate: boolean
  beforeInsert: boolean
  beforeDelete: boolean
  security: 'uniform' | 'split' | null
  readable: boolean
  columns: {
    number: number
    name: string
    type: number
    modifier: number
    declared: string
    generated: boolean
    identity: boolean
    nullable: boolean
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

/** A table and its columns by number, as keys refer to them. */
interface NumberedTable {
  readonly table: Table & { readonly referencedBy: ForeignKey[] }
  readonly columns: ReadonlyMap<number, Column>
}

function buildTables(raw: RawTables): NumberedTable[] {
  const types = new Map(raw.types.map((type) => [type.oid, type]))
  return raw.tables.map(({ keys, key, shape, triggers, noted, reach, ...table }) => {
    const columns = new Map(
      table.columns.map(({ type, modifier, ...rest }) => [
        rest.number,
        { ...rest, type: resolveType(types, type, modifier) },
      ]),
    )
    const uniqueKeys = keys.map((one) => ({ ...one, columns: pick(columns, one.columns) }))
    const watch = watchOf({ key, shape, triggers, noted, reach })
    const primaryKey = uniqueKeys.find(({ primary }) => primary)?.columns ?? []
    return {
      table: { ...table, watch, columns: [...columns.values()], primaryKey, uniqueKeys, referencedBy: [] },
      columns,
    }
  })
}

function buildCatalog(raw: RawCatalog): Catalog {
  const found = buildTables(raw)
  const byOid = new Map(found.map((one) => [one.table.oid, one]))
  for (const key of raw.foreignKeys) {
    const child = byOid.get(key.child)
    const parent = byOid.get(key.parent)
    if (!child || !parent) continue
    const childColumns = pick(child.columns, key.childColumns)
    const parentColumns = pick(parent.columns, key.parentColumns)
    parent.table.referencedBy.push({
      name: key.name,
      child: child.table,
      parent: parent.table,
      pairs: childColumns.flatMap((column, index) => {
        const target = parentColumns[index]
        return target ? [{ child: column, parent: target }] : []
      }),
      onDelete: actions[key.onDelete] ?? 'none',
      onUpdate: actions[key.onUpdate] ?? 'none',
      setOnDelete: key.setColumns?.length ? pick(child.columns, key.setColumns) : childColumns,
    })
  }
  return {
    server: serverOf(raw.version),
    searchPath: raw.searchPath,
    tables: found.map(({ table }) => table),
    writingFunctions: new Set(raw.writingFunctions),
    logFunctions: raw.logFunctions,
  }
}

/** `pg_constraint.confdeltype`; a (no action) and r (restrict) change nothing. */
const actions: Record<string, ReferentialAction> = { c: 'cascade', n: 'set null', d: 'set default' }

function pick(columns: ReadonlyMap<number, Column>, numbers: readonly number[]): Column[] {
  return numbers.flatMap((number) => columns.get(number) ?? [])
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
