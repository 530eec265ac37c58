/** The part of Prisma's run-time data model that is needed: `client._runtimeDataModel`. */
export interface DataModel {
  readonly models: Readonly<Record<string, DataModelEntry>>
}

interface DataModelEntry {
  readonly dbName: string | null
  readonly schema?: string | null
  readonly fields: readonly DataModelField[]
}

interface DataModelField {
  readonly name: string
  readonly kind: string
  readonly type: string
  readonly dbName?: string
  readonly relationName?: string
  /** Known from the schema's text only: the client lacks it at run time. */
  readonly isList?: boolean
  readonly isId?: boolean
}

/** One model, and the client's names for its table's columns. */
export interface Model {
  /** `OrderItem`, as in the schema and the options. */
  readonly name: string
  /** `orderItem`: the client's property, which names the resource in the log. */
  readonly resource: string
  readonly table: string
  readonly schema: string | undefined
  /** Column name → field name. */
  readonly fields: ReadonlyMap<string, string>
}

/** An implicit many-to-many table: the models in columns `A` and `B`, and the field of each that leads to the other. */
export interface Link {
  readonly A: LinkSide
  readonly B: LinkSide
}

export interface LinkSide {
  readonly model: Model
  readonly relation: string
}

/** `OrderItem` → `orderItem`. */
export function resourceOf(model: string): string {
  return model.charAt(0).toLowerCase() + model.slice(1)
}

/** Finds models and many-to-many links by their tables' names. */
export class ModelIndex {
  readonly models: readonly Model[]
  readonly #links = new Map<string, Link>()
  readonly #defaultSchema: string

  /** @param defaultSchema the schema of models without `@@schema` */
  constructor(dataModel: DataModel, defaultSchema: string) {
    this.#defaultSchema = defaultSchema
    this.models = Object.entries(dataModel.models).map(([name, entry]) => ({
      name,
      resource: resourceOf(name),
      table: entry.dbName ?? name,
      schema: entry.schema ?? undefined,
      fields: new Map(
        entry.fields
          .filter((field) => field.kind !== 'object')
          .map((field) => [field.dbName ?? field.name, field.name]),
      ),
    }))
    const sides = new Map<string, LinkSide[]>()
    for (const model of this.models) {
      for (const field of dataModel.models[model.name]?.fields ?? []) {
        if (field.kind !== 'object' || field.relationName === undefined) continue
        const known = sides.get(field.relationName) ?? []
        sides.set(field.relationName, [...known, { model, relation: field.name }])
      }
    }
    for (const [relationName, found] of sides) {
      // Prisma puts the side that comes first by model name, then by field name, into column A
      const order = (side: LinkSide) => `${side.model.name}\0${side.relation}`
      const [A, B] = found.sort((one, other) => (order(one) < order(other) ? -1 : 1))
      if (A && B) this.#links.set(`_${relationName}`, { A, B })
    }
  }

  ofTable(table: { readonly schema: string; readonly name: string }): Model | undefined {
    return this.models.find(
      (model) => model.table === table.name && (model.schema ?? this.#defaultSchema) === table.schema,
    )
  }

  /** The table of a model. */
  locationOf({ schema = this.#defaultSchema, table }: Model): {
    readonly schema: string
    readonly name: string
  } {
    return { schema, name: table }
  }

  /** Whether a table of this name may be that of an implicit many-to-many relation. */
  hasLink(table: string): boolean {
    return this.#links.has(table)
  }

  /** The implicit many-to-many relations of a schema's text: both sides are lists. */
  implicitLinks(dataModel: DataModel): (Link & { readonly table: string })[] {
    const isList = ({ model, relation }: LinkSide) =>
      dataModel.models[model.name]?.fields.some(({ name, isList }) => name === relation && isList) ?? false
    return [...this.#links]
      .filter(([, { A, B }]) => isList(A) && isList(B))
      .map(([table, link]) => ({ table, ...link }))
  }

  /** The relation fields of a model, and the side each would have in the table of an implicit many-to-many relation. */
  sidesOf(model: Model): ReadonlyMap<string, { readonly table: string; readonly column: 'A' | 'B' }> {
    const sides = new Map<string, { table: string; column: 'A' | 'B' }>()
    for (const [table, link] of this.#links) {
      for (const column of ['A', 'B'] as const) {
        if (link[column].model === model) sides.set(link[column].relation, { table, column })
      }
    }
    return sides
  }

  /** The link behind a table, if it is an implicit many-to-many table: columns A and B, and no model. */
  linkOf(table: LinkTable): Link | undefined {
    const columns = table.columns.map((column) => column.name)
    const isJoinTable = columns.length === 2 && columns.includes('A') && columns.includes('B')
    return isJoinTable && !this.ofTable(table) ? this.#links.get(table.name) : undefined
  }
}

interface LinkTable {
  readonly schema: string
  readonly name: string
  readonly columns: readonly { readonly name: string }[]
}
