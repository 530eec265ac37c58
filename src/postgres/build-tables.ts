import type { Column, ColumnType, ForeignKey, ReferentialAction, Table } from './catalog.ts'
import { type RawWatch, watchOf } from './watch.ts'

/** What the queries of `catalog-query.ts` return about tables. */
export interface RawTables {
  readonly tables: readonly RawTable[]
  readonly types: readonly RawType[]
}

/** The same with the foreign keys among them. */
export interface RawReach extends RawTables {
  readonly foreignKeys: readonly RawForeignKey[]
}

interface RawTable extends RawWatch {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly partition: boolean
  readonly inherited: boolean
  readonly rules: boolean
  readonly beforeUpdate: boolean
  readonly beforeInsert: boolean
  readonly beforeDelete: boolean
  readonly security: Table['security']
  readonly readable: boolean
  readonly immutable: boolean
  readonly columns: readonly {
    readonly number: number
    readonly name: string
    readonly type: number
    readonly modifier: number
    readonly declared: string
    readonly generated: boolean
    readonly identity: boolean
    readonly nullable: boolean
    readonly default: string | null
  }[]
  readonly keys: readonly { readonly name: string; readonly primary: boolean; readonly columns: number[] }[]
}

export interface RawForeignKey {
  readonly oid: number
  readonly name: string
  readonly child: number
  readonly parent: number
  readonly childColumns: readonly number[]
  readonly parentColumns: readonly number[]
  readonly onDelete: string
  readonly onUpdate: string
  readonly setColumns: readonly number[] | null
}

interface RawType {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly category: string
  readonly element: number
  readonly base: number
  readonly baseModifier: number
}

/** Makes a table, without the foreign keys that point to it. */
export function tableBuilder(types: readonly RawType[]): (raw: RawTable) => Table {
  const byOid = new Map(types.map((type) => [type.oid, type]))
  return ({ keys, key, shape, triggers, rowTrigger, noted, reach, overtaken, ...raw }) => {
    const columns = raw.columns.map(({ type, modifier, ...rest }) => ({
      ...rest,
      type: resolveType(byOid, type, modifier),
    }))
    const uniqueKeys = keys.map((one) => ({ ...one, columns: pick(columns, one.columns) }))
    return {
      ...raw,
      watch: watchOf({ key, shape, triggers, rowTrigger, noted, reach, overtaken }),
      columns,
      primaryKey: uniqueKeys.find(({ primary }) => primary)?.columns ?? [],
      uniqueKeys,
      referencedBy: [],
    }
  }
}

export function buildForeignKey(raw: RawForeignKey, child: Table, parent: Table): ForeignKey {
  const childColumns = pick(child.columns, raw.childColumns)
  const parentColumns = pick(parent.columns, raw.parentColumns)
  return {
    ...{ oid: raw.oid, name: raw.name, child, parent },
    pairs: childColumns.flatMap((column, index) => {
      const target = parentColumns[index]
      return target ? [{ child: column, parent: target }] : []
    }),
    onDelete: actions[raw.onDelete] ?? 'none',
    onUpdate: actions[raw.onUpdate] ?? 'none',
    setOnDelete: raw.setColumns?.length ? pick(child.columns, raw.setColumns) : childColumns,
  }
}

/** `pg_constraint.confdeltype`; a (no action) and r (restrict) change nothing. */
const actions: Record<string, ReferentialAction> = { c: 'cascade', n: 'set null', d: 'set default' }

/** Columns by number, as keys refer to them. */
function pick(columns: readonly Column[], numbers: readonly number[]): Column[] {
  return numbers.flatMap((number) => columns.find((column) => column.number === number) ?? [])
}

function resolveType(types: ReadonlyMap<number, RawType>, oid: number, modifier: number): ColumnType {
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
