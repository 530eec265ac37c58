import { AuditError } from '../errors.ts'
import type { Column, ColumnType, Table } from '../postgres/catalog.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { readTables } from '../postgres/read-catalog.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type DataModel, type Model, ModelIndex, resourceOf } from './data-model.ts'
import { readSchema } from './schema-facts.ts'

/** A scalar field of a model and the column behind it. */
export interface StoredField {
  /** As in the Prisma schema. */
  readonly name: string
  readonly column: string
  /** Prisma's type: `Int`, `DateTime`, an enum's name, … */
  readonly type: string
  readonly isEnum: boolean
  readonly isList: boolean
  readonly columnType: ColumnType
  /** PostgreSQL's name of the type (of an array: of its elements), domains resolved: `int4`, `numeric`. */
  readonly databaseType: string
  /** The declared type, usable in a cast: `numeric(10,2)`. */
  readonly declared: string
  readonly isNullable: boolean
  /**
   * The database computes the value and accepts no other: a generated column, or an identity that is always generated.
   */
  readonly computed: 'generated' | 'identity' | undefined
  /** For an enum: the name in the client → the label in the database, where `@map` makes them differ. */
  readonly labels: ReadonlyMap<string, string>
  /** Prisma sets it at each update. */
  readonly isUpdatedAt: boolean
}

/** A model with what the database knows about its table. */
export interface StoredModel extends Model {
  /** Its table, with the schema. */
  readonly location: TableName
  /** Fields that lead to other models, and their side in the table of an implicit many-to-many relation. */
  readonly relations: ReadonlyMap<string, { readonly table: string; readonly column: 'A' | 'B' }>
  /** Columns that the database computes, including those that the model leaves out. */
  readonly generatedColumns: readonly string[]
  readonly scalars: readonly StoredField[]
  /** The primary key in key order; empty for a table without one. */
  readonly key: readonly StoredField[]
}

type ModelNames = Pick<Model, 'name' | 'resource'>
type StoredTable = Omit<Table, 'referencedBy'>

/** The client's models as the database has them. Read once, and again when a model's table is missing. */
export class StoredModels {
  readonly #dataModel: DataModel
  readonly #names: ReadonlyMap<unknown, ModelNames>
  readonly #defaultSchema: () => Promise<string>
  #models: ReadonlyMap<string, StoredModel> | undefined
  /** A transaction never waits for a read that waits for a connection, since it may hold the last one. */
  readonly #reading = new WeakMap<SqlClient, Promise<ReadonlyMap<string, StoredModel>>>()
  readonly #schema: ReturnType<typeof readSchema>

  /**
   * @param defaultSchema the schema of models without `@@schema`
   * @param schema the text of the Prisma schema, for what the run-time data model leaves out
   */
  constructor(dataModel: DataModel, defaultSchema: () => Promise<string>, schema: unknown) {
    this.#dataModel = dataModel
    const names = Object.keys(dataModel.models).map((name) => ({
      name,
      resource: resourceOf(name),
    }))
    this.#names = new Map([
      ...names.map((model) => [model.resource, model] as const),
      ...names.map((model) => [model.name, model] as const),
    ])
    this.#defaultSchema = defaultSchema
    this.#schema = readSchema(schema)
  }

  /** The names of the model with this name or resource; undefined when there is none. */
  find(name: unknown): ModelNames | undefined {
    return this.#names.get(name)
  }

  /**
   * A model by its name in the Prisma schema (`OrderItem`) or as a resource (`orderItem`).
   *
   * @throws AuditError `AUDIT_INVALID_FILTER` when the client has no such model
   */
  async get(name: unknown, connection: SqlClient): Promise<StoredModel> {
    const model = this.find(name)?.name
    if (model === undefined) {
      const given =
        typeof name === 'string' ? JSON.stringify(name) : `named by a value of type ${typeof name}`
      throw new AuditError(
        'AUDIT_INVALID_FILTER',
        `The client has no model ${given}. Its models are ${Object.keys(this.#dataModel.models).join(', ')}.`,
      )
    }
    const found = (await this.#read(connection)).get(model)
    if (found && found.scalars.length > 0) return found
    this.#models = undefined // the table may have been created since
    const read = (await this.#read(connection)).get(model)
    if (read && read.scalars.length > 0) return read
    throw new AuditError(
      'AUDIT_INVALID_FILTER',
      `The table of the model ${model} is not in the database, so its records can't be identified. Apply the migrations.`,
    )
  }

  /** All of them; one whose table is not in the database has no fields. */
  async all(connection: SqlClient): Promise<readonly StoredModel[]> {
    return [...(await this.#read(connection)).values()]
  }

  async #read(connection: SqlClient): Promise<ReadonlyMap<string, StoredModel>> {
    if (this.#models) return this.#models
    const reading = this.#reading.get(connection) ?? this.#load(connection)
    this.#reading.set(connection, reading)
    try {
      this.#models = await reading
      return this.#models
    } finally {
      this.#reading.delete(connection)
    }
  }

  async #load(connection: SqlClient): Promise<ReadonlyMap<string, StoredModel>> {
    const index = new ModelIndex(this.#dataModel, await this.#defaultSchema())
    const tables = await readTables(
      connection,
      index.models.map((model) => model.table),
    )
    return new Map(
      index.models.map((model) => {
        const table = tables.find((one) => index.ofTable(one) === model)
        return [model.name, this.#describe(model, index, table)]
      }),
    )
  }

  #describe(model: Model, index: ModelIndex, table: StoredTable | undefined): StoredModel {
    const columns = table?.columns ?? []
    const scalars = columns.flatMap((column) => this.#field(model, column) ?? [])
    return {
      ...model,
      location: table ? { schema: table.schema, name: table.name } : { name: model.table },
      relations: index.sidesOf(model),
      generatedColumns: columns.filter(({ generated }) => generated).map(({ name }) => name),
      scalars,
      key: (table?.primaryKey ?? []).flatMap(
        ({ name }) => scalars.find(({ column }) => column === name) ?? [],
      ),
    }
  }

  /** The field of a model behind a column, if it has one. */
  #field(model: Model, column: Column): StoredField | undefined {
    const fields = this.#dataModel.models[model.name]?.fields ?? []
    const field = fields.find((one) => one.kind !== 'object' && (one.dbName ?? one.name) === column.name)
    if (!field) return undefined
    const { name, type, kind } = field
    return {
      ...{ name, type, column: column.name, declared: column.declared, columnType: column.type },
      isEnum: kind === 'enum',
      isList: column.type.element !== undefined,
      databaseType: (column.type.element ?? column.type).name,
      isNullable: column.nullable,
      computed: column.generated ? 'generated' : column.identity ? 'identity' : undefined,
      labels: this.#schema.labels.get(type) ?? new Map(),
      isUpdatedAt: this.#schema.updatedAt.get(model.name)?.has(name) ?? false,
    }
  }
}
