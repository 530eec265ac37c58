import { readFileSync } from 'node:fs'

/** What Prisma knows of a schema (its DMMF), as far as the suite needs it. */
export interface Field {
  readonly name: string
  readonly dbName?: string | null
  readonly kind: 'scalar' | 'enum' | 'object' | 'unsupported'
  readonly type: string
  /** PostgreSQL's type and its arguments, where the schema names it: `['VarChar', ['50']]`. */
  readonly nativeType: readonly [name: string, args: readonly string[]] | null
  readonly isList: boolean
  readonly isRequired: boolean
  readonly isUnique: boolean
  readonly isId: boolean
  readonly isUpdatedAt: boolean
  readonly hasDefaultValue: boolean
  /** A constant, a list of them, or the function that makes it. */
  readonly default?: unknown
  readonly relationName?: string
  /** The foreign key's own columns; empty on the side that is referenced. */
  readonly relationFromFields?: readonly string[]
  readonly relationToFields?: readonly string[]
}

interface CompositeKey {
  readonly name: string | null
  readonly fields: readonly string[]
}

export interface Model {
  readonly name: string
  readonly dbName: string | null
  readonly fields: readonly Field[]
  readonly primaryKey: CompositeKey | null
  readonly uniqueIndexes: readonly CompositeKey[]
}

interface Enum {
  readonly name: string
  readonly values: readonly { readonly name: string; readonly dbName: string | null }[]
}

/** A way to name one record: the key's fields, and what `where` calls them together when they are several. */
export interface UniqueKey {
  readonly fields: readonly Field[]
  readonly name: string | undefined
}

/** The models of one schema and how they hang together. */
export class DataModel {
  readonly models: readonly Model[]
  readonly enums: readonly Enum[]

  constructor(file: string) {
    const { models, enums } = JSON.parse(readFileSync(file, 'utf8')) as { models: Model[]; enums: Enum[] }
    // the log is not written to, and a field that Prisma can't write leaves nothing to generate
    this.models = models.filter(({ dbName }) => dbName !== 'audit_logs')
    this.enums = enums
  }

  model(name: string): Model {
    const found = this.models.find((model) => model.name === name)
    if (!found) throw new Error(`The schema has no model ${name}.`)
    return found
  }

  /** The other end of a relation. */
  opposite(model: Model, relation: Field): Field {
    const found = this.model(relation.type).fields.find(
      (field) =>
        field.relationName === relation.relationName &&
        (relation.type !== model.name || field.name !== relation.name),
    )
    if (!found) throw new Error(`${model.name}.${relation.name} has no other side.`)
    return found
  }

  isManyToMany(model: Model, relation: Field): boolean {
    return relation.isList && this.opposite(model, relation).isList
  }
}

/** `orderItem`, as the client calls the model `OrderItem`. */
export function delegateOf(model: Model): string {
  return model.name.charAt(0).toLowerCase() + model.name.slice(1)
}

export function scalarsOf(model: Model): Field[] {
  return model.fields.filter(({ kind }) => kind === 'scalar' || kind === 'enum')
}

export function relationsOf(model: Model): Field[] {
  return model.fields.filter(({ kind }) => kind === 'object')
}

/** The relation whose foreign key a field is part of. */
export function foreignKeyOf(model: Model, field: Field): Field | undefined {
  return relationsOf(model).find(({ relationFromFields }) => relationFromFields?.includes(field.name))
}

export function isAutoincrement({ default: value }: Field): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && value.name === 'autoincrement'
}

/** Every key of a model, its primary one first. */
export function uniqueKeysOf(model: Model): UniqueKey[] {
  const single = model.fields
    .filter(({ isId, isUnique }) => isId || isUnique)
    .sort((one, other) => Number(other.isId) - Number(one.isId))
    .map((field) => ({ fields: [field], name: undefined }))
  const composite = [...(model.primaryKey ? [model.primaryKey] : []), ...model.uniqueIndexes].map(
    ({ name, fields }) => ({
      fields: fields.map((name) => fieldOf(model, name)),
      name: name ?? fields.join('_'),
    }),
  )
  return [...(model.primaryKey ? composite : []), ...single, ...(model.primaryKey ? [] : composite)]
}

/** Whether a field is part of one. */
export function isInKey(model: Model, field: Field): boolean {
  return uniqueKeysOf(model).some(({ fields }) => fields.includes(field))
}

export function fieldOf(model: Model, name: string): Field {
  const found = model.fields.find((field) => field.name === name)
  if (!found) throw new Error(`${model.name} has no field ${name}.`)
  return found
}
