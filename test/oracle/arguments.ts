import fc from 'fast-check'
import {
  type DataModel,
  type Field,
  foreignKeyOf,
  isAutoincrement,
  isInKey,
  type Model,
  relationsOf,
  scalarsOf,
  type UniqueKey,
  uniqueKeysOf,
} from './data-model.ts'
import type { Values } from './values.ts'

type Fields = Record<string, unknown>

/**
 * What may be given for a model: Prisma takes either the columns of foreign keys or the relations behind them, never
 * both in one object; and inside a nested write the relation to the parent is not said again.
 */
interface Form {
  readonly keys: 'columns' | 'relations'
  readonly parent: Field | undefined
}

/** Random arguments of a schema's operations: filters, data, and writes nested in them. */
export class Arguments {
  readonly #dataModel: DataModel
  readonly #values: Values
  readonly #made = new Map<string, fc.Arbitrary<unknown>>()

  constructor(dataModel: DataModel, values: Values) {
    this.#dataModel = dataModel
    this.#values = values
  }

  /** Names one record by any of its keys. */
  unique(model: Model): fc.Arbitrary<Fields> {
    return this.#once(`unique ${model.name}`, () =>
      fc.oneof(
        ...uniqueKeysOf(model).map((key) =>
          this.#keyValues(model, key).map((values) => whereOf(key, values)),
        ),
      ),
    )
  }

  /** Matches some records: by key, by another field, by what they are related to, or all of them. */
  filter(model: Model): fc.Arbitrary<Fields> {
    return this.#once(`filter ${model.name}`, () => {
      const lists = relationsOf(model).filter(({ isList }) => isList)
      const single = relationsOf(model).filter(({ isList }) => !isList)
      return fc.oneof(
        this.#scalarFilter(model),
        ...lists.map(({ name }) => fc.constantFrom('some', 'none').map((has) => ({ [name]: { [has]: {} } }))),
        ...single.map((one) =>
          this.unique(this.#dataModel.model(one.type)).map((is) => ({ [one.name]: { is: firstKey(is) } })),
        ),
      )
    })
  }

  /** The same by what the records themselves hold, which is all that a nested write may ask for. */
  #scalarFilter(model: Model): fc.Arbitrary<Fields> {
    const fields = uniqueKeysOf(model).flatMap(({ fields }) => fields.slice(0, 1))
    const enums = scalarsOf(model).filter(({ kind, isList }) => kind === 'enum' && !isList)
    return fc.oneof(
      ...fields.map((field) =>
        fc
          .uniqueArray(this.#value(model, field), { minLength: 1, maxLength: 3 })
          .map((values) => ({ [field.name]: { in: values } })),
      ),
      ...enums.map((one) => this.#value(model, one).map((value) => ({ [one.name]: value }))),
      fc.constant({}),
    )
  }

  /** Data of a new record, with writes nested in it to the depth given. */
  create(model: Model, depth: number, parent?: Field): fc.Arbitrary<Fields> {
    return this.#once(`create ${model.name} ${depth} ${parent?.name}`, () =>
      fc.oneof(
        this.#createIn(model, depth, { keys: 'columns', parent }),
        this.#createIn(model, depth, { keys: 'relations', parent }),
      ),
    )
  }

  /** Data of one of several new records: nothing is nested there. */
  createOneOfMany(model: Model, parent?: Field): fc.Arbitrary<Fields> {
    return this.#createIn(model, 0, { keys: 'columns', parent })
  }

  /** What to change of a record, with writes nested in it to the depth given. */
  update(model: Model, depth: number, parent?: Field): fc.Arbitrary<Fields> {
    return this.#once(`update ${model.name} ${depth} ${parent?.name}`, () =>
      fc.oneof(
        this.#updateIn(model, depth, { keys: 'columns', parent }),
        this.#updateIn(model, depth, { keys: 'relations', parent }),
      ),
    )
  }

  /** What to change of several records. */
  updateMany(model: Model, parent?: Field): fc.Arbitrary<Fields> {
    return this.#updateIn(model, 0, { keys: 'columns', parent })
  }

  /** A filter and data of an upsert: often for the same record, which lets Prisma use PostgreSQL's own upsert. */
  upsert(
    model: Model,
    depth: number,
    parent?: Field,
  ): fc.Arbitrary<{ where: Fields; create: Fields; update: Fields }> {
    return fc
      .record({
        ...{ create: this.create(model, depth, parent), other: this.unique(model) },
        ...{ update: this.update(model, depth, parent), isOther: oneIn(4) },
      })
      .map(({ create, other, update, isOther }) => ({
        where: (!isOther && whereFor(model, create)) || other,
        ...{ create, update },
      }))
  }

  #createIn(model: Model, depth: number, form: Form): fc.Arbitrary<Fields> {
    const scalars = this.#givenScalars(model, form)
    const isNeeded = (field: Field) => field.isRequired && !field.hasDefaultValue && !field.isList
    const isKey = (field: Field) => field.isId || (model.primaryKey?.fields.includes(field.name) ?? false)
    // a key that the client would make is given, so that both clients make the same; a key of the database's own
    // is mostly given too, so that later operations find the record
    const needed = scalars.filter((field) => isNeeded(field) || (isKey(field) && !isAutoincrement(field)))
    const often = scalars.filter((field) => isAutoincrement(field))
    const others = scalars.filter((field) => !needed.includes(field) && !often.includes(field))
    const relations = this.#givenRelations(model, form)
    const neededRelations = relations.filter((field) => !field.isList && field.isRequired)
    const otherRelations = depth > 0 ? relations.filter((field) => !neededRelations.includes(field)) : []
    return record({
      ...entries(needed, (field) => this.#new(model, field)),
      ...entries(often, (field) => maybe(this.#new(model, field), 1, 0.6)),
      ...entries(others, (field) => maybe(this.#new(model, field), others.length, 4)),
      ...entries(neededRelations, (field) => this.#relateNew(model, field, depth - 1)),
      ...entries(otherRelations, (field) =>
        maybe(this.#relateNew(model, field, depth - 1), otherRelations.length, 1.2),
      ),
    })
  }

  #updateIn(model: Model, depth: number, form: Form): fc.Arbitrary<Fields> {
    const scalars = this.#givenScalars(model, form)
    const relations = depth > 0 ? this.#givenRelations(model, form) : []
    return record({
      ...entries(scalars, (field) => maybe(this.#change(model, field), scalars.length, 2)),
      ...entries(relations, (field) =>
        maybe(this.#relateKnown(model, field, depth - 1), relations.length, 1.5),
      ),
    })
  }

  #givenScalars(model: Model, { keys, parent }: Form): Field[] {
    return scalarsOf(model).filter((field) => {
      if (parent?.relationFromFields?.includes(field.name)) return false
      return keys === 'columns' || (!foreignKeyOf(model, field) && !isAutoincrement(field))
    })
  }

  #givenRelations(model: Model, { keys, parent }: Form): Field[] {
    return relationsOf(model).filter(
      (field) => field !== parent && (keys === 'relations' || !field.relationFromFields?.length),
    )
  }

  /** A write nested in a new record; where it may not go deeper, a required relation is to a record that is there. */
  #relateNew(model: Model, relation: Field, depth: number): fc.Arbitrary<Fields> {
    if (depth < 0) return this.unique(this.#dataModel.model(relation.type)).map((connect) => ({ connect }))
    return this.#once(`new ${model.name}.${relation.name} ${depth}`, () =>
      fc.oneof(...Object.values(this.#additions(model, relation, depth).writes)),
    )
  }

  /** A write nested in a record that is there. */
  #relateKnown(model: Model, relation: Field, depth: number): fc.Arbitrary<Fields> {
    return this.#once(`known ${model.name}.${relation.name} ${depth}`, () => {
      const { target, opposite, writes } = this.#additions(model, relation, depth)
      const unique = this.unique(target)
      const update = this.update(target, depth, opposite)
      const others = relation.isList
        ? [
            list(unique).map((set) => ({ set })),
            list(unique).map((disconnect) => ({ disconnect })),
            fc.record({ where: unique, data: update }).map((update) => ({ update })),
            fc
              .record({ where: this.#scalarFilter(target), data: this.updateMany(target, opposite) })
              .map((updateMany) => ({ updateMany })),
            this.upsert(target, depth, opposite).map((upsert) => ({ upsert })),
            list(unique).map((gone) => ({ delete: gone })),
            this.#scalarFilter(target).map((deleteMany) => ({ deleteMany })),
          ]
        : [
            update.map((data) => ({ update: data })),
            fc.record({ create: this.create(target, depth, opposite), update }).map((upsert) => ({ upsert })),
            ...(relation.isRequired
              ? []
              : [fc.constant({ disconnect: true }), fc.constant({ delete: true })]),
          ]
      return fc.oneof(...Object.values(writes), ...others)
    })
  }

  /** The nested writes that bring a record in, of a new record or of one that is there. */
  #additions(model: Model, relation: Field, depth: number) {
    const target = this.#dataModel.model(relation.type)
    const opposite = this.#dataModel.opposite(model, relation)
    const one = this.create(target, depth, opposite)
    const forms = (['columns', 'relations'] as const).map((keys) =>
      // Prisma wants all of a list in one form
      this.#once(`list ${target.name} ${depth} ${opposite.name} ${keys}`, () =>
        list(this.#createIn(target, depth, { keys, parent: opposite })),
      ),
    )
    const unique = this.unique(target)
    const connectOrCreate = fc
      .record({ create: one, other: unique })
      .map(({ create, other }) => ({ where: whereFor(target, create) ?? other, create }))
    const many = relation.isList
    const writes: Record<string, fc.Arbitrary<Fields>> = {
      connect: (many ? list(unique) : unique).map((connect) => ({ connect })),
      create: (many ? fc.oneof(...forms) : one).map((create) => ({ create })),
      connectOrCreate: connectOrCreate.map((value) => ({ connectOrCreate: value })),
    }
    if (many && !this.#dataModel.isManyToMany(model, relation)) {
      writes.createMany = fc
        .record({ data: list(this.createOneOfMany(target, opposite)), skipDuplicates: fc.boolean() })
        .map((createMany) => ({ createMany }))
    }
    return { target, opposite, writes }
  }

  /** A value for a new record: mostly a free one, where the field must differ from those of other records. */
  #new(model: Model, field: Field): fc.Arbitrary<unknown> {
    const isKey =
      uniqueKeysOf(model).some(({ fields }) => fields.includes(field)) && !foreignKeyOf(model, field)
    if (!isKey) return this.#given(model, field)
    const values = this.#values.of(model, field)
    const free = values.slice(3)
    return free.length === 0
      ? this.#given(model, field)
      : fc.oneof(
          { weight: 6, arbitrary: fc.constantFrom(...free) },
          { weight: 1, arbitrary: this.#given(model, field) },
        )
  }

  #given(model: Model, field: Field): fc.Arbitrary<unknown> {
    const value = this.#value(model, field)
    if (field.isList) return fc.array(value, { maxLength: 3 })
    if (field.isRequired) return value
    return fc.oneof(
      { weight: 3, arbitrary: value },
      { weight: 1, arbitrary: fc.constant(this.#values.null(field)) },
    )
  }

  #change(model: Model, field: Field): fc.Arbitrary<unknown> {
    const given = this.#given(model, field)
    if (field.isList)
      return fc.oneof(
        given,
        list(this.#value(model, field)).map((push) => ({ push })),
      )
    const isNumber = ['Int', 'BigInt', 'Float', 'Decimal'].includes(field.type)
    // when the new key of one row is the old one of another, PostgreSQL refuses by the order that it takes them in,
    // which nobody promises
    if (!isNumber || isInKey(model, field) || foreignKeyOf(model, field)) return given
    return fc.oneof(
      given,
      ...[{ increment: 1 }, { decrement: 1 }, { multiply: 2 }].map((change) => fc.constant(change)),
      given.map((set) => ({ set })),
    )
  }

  /** Values of a key: mostly those of one of the first rows, which has the n-th value of each field. */
  #keyValues(model: Model, { fields }: UniqueKey): fc.Arbitrary<Fields> {
    const nth = (n: number) =>
      Object.fromEntries(
        fields.map((field) => {
          const values = this.#values.of(model, field)
          return [field.name, values[n % values.length]]
        }),
      )
    const any = record(entries(fields, (field) => this.#value(model, field)))
    return fc.oneof({ weight: 2, arbitrary: fc.nat({ max: 2 }).map(nth) }, { weight: 1, arbitrary: any })
  }

  #value(model: Model, field: Field): fc.Arbitrary<unknown> {
    const values = this.#values.of(model, field)
    // the values of the first rows, more often than those of none
    const known = values.slice(0, 3)
    const again = foreignKeyOf(model, field) ? 4 : 1
    return fc.constantFrom(...known, ...Array(again).fill(known).flat(), ...values.slice(3))
  }

  #once<T>(key: string, make: () => fc.Arbitrary<T>): fc.Arbitrary<T> {
    const made = this.#made.get(key) ?? make()
    this.#made.set(key, made)
    return made as fc.Arbitrary<T>
  }
}

function whereOf({ fields, name }: UniqueKey, values: Fields): Fields {
  const given = Object.fromEntries(fields.map((field) => [field.name, values[field.name]]))
  return name === undefined ? given : { [name]: given }
}

/** Names the record that `data` would create, when it says a whole key. */
function whereFor(model: Model, data: Fields): Fields | undefined {
  const key = uniqueKeysOf(model).find(({ fields }) =>
    fields.every(({ name }) => data[name] !== undefined && data[name] !== null),
  )
  return key && whereOf(key, data)
}

/** A filter of the same record that is no unique one: fields of a composite key stand by themselves there. */
function firstKey(where: Fields): Fields {
  const [value] = Object.values(where)
  const isComposite = typeof value === 'object' && value !== null && !(value instanceof Date)
  return isComposite ? (value as Fields) : where
}

const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 2 })

/** True once in so many times. */
export const oneIn = (n: number) => fc.nat({ max: n - 1 }).map((value) => value === n - 1)

/** Leaves a field out as often as needed for about `wanted` of `count` to be there; it shrinks to being left out. */
function maybe<T>(value: fc.Arbitrary<T>, count: number, wanted: number): fc.Arbitrary<T | undefined> {
  if (wanted >= count * 6) return value
  const weight = (share: number) => Math.max(1, Math.round(share * 12))
  const share = Math.min(wanted / count, 0.9)
  return fc.oneof(
    { withCrossShrink: true },
    { weight: weight(1 - share), arbitrary: fc.constant(undefined) },
    { weight: weight(share), arbitrary: value },
  )
}

function entries(fields: readonly Field[], of: (field: Field) => fc.Arbitrary<unknown>) {
  return Object.fromEntries(fields.map((field) => [field.name, of(field)]))
}

/** A record without the fields that are left out. */
function record(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Fields> {
  return fc
    .record(fields)
    .map((values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)))
}
