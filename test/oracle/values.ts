import { DbNull } from '@prisma/client/runtime/client'
import {
  type DataModel,
  type Field,
  fieldOf,
  foreignKeyOf,
  isAutoincrement,
  type Model,
} from './data-model.ts'

/**
 * The values that random operations use. They are few, so that operations meet the same rows, and every key has six:
 * three for the rows that are there at the start, and three more.
 *
 * Points in time are long past: what the client or the database stamps itself can then be told from them.
 */
export class Values {
  readonly #dataModel: DataModel

  constructor(dataModel: DataModel) {
    this.#dataModel = dataModel
  }

  /** The values of a field, without null. */
  of(model: Model, field: Field): readonly unknown[] {
    const root = this.#root(model, field)
    return isKey(root.model, root.field)
      ? this.#keys(root.model, root.field)
      : this.#plain(root.model, root.field)
  }

  /** What null is for a field: JSON has one of its own. */
  null({ type }: Field): unknown {
    return type === 'Json' ? DbNull : null
  }

  /** The field whose values a foreign key's field repeats, or the field itself. */
  #root(model: Model, field: Field): { model: Model; field: Field } {
    const seen = new Set<Field>()
    let [at, current] = [model, field]
    for (;;) {
      seen.add(current)
      const relation = foreignKeyOf(at, current)
      const position = relation?.relationFromFields?.indexOf(current.name) ?? -1
      const target = relation?.relationToFields?.[position]
      if (!relation || target === undefined) return { model: at, field: current }
      const next = this.#dataModel.model(relation.type)
      const nextField = fieldOf(next, target)
      if (seen.has(nextField)) return { model: at, field: current }
      ;[at, current] = [next, nextField]
    }
  }

  #keys(model: Model, field: Field): readonly unknown[] {
    const numbers = [1, 2, 3, 4, 5, 6]
    if (field.type === 'Int') return numbers
    if (field.type === 'BigInt') return numbers.map(BigInt)
    if (field.type === 'DateTime') return numbers.map((n) => new Date(Date.UTC(2001, 0, n)))
    if (field.type !== 'String') return this.#plain(model, field)
    if (field.nativeType?.[0] === 'Uuid') return numbers.map((n) => `00000000-0000-4000-8000-00000000000${n}`)
    const fixed = [...this.#defaultsOf(model, field)]
    const longest = Number(field.nativeType?.[1][0] ?? 40)
    const made = numbers.map((n) => {
      const text = longest < 8 ? `${n}` : `${field.name}-${n}`
      return field.nativeType?.[0] === 'Char' ? text.padEnd(longest) : text.slice(-longest)
    })
    return [...fixed, ...made].slice(0, numbers.length)
  }

  /** The constant defaults of the field and of the foreign keys that refer to it. */
  #defaultsOf(model: Model, field: Field): Set<string> {
    const referring = this.#dataModel.models.flatMap((other) =>
      other.fields.filter((candidate) => {
        const relation = foreignKeyOf(other, candidate)
        const position = relation?.relationFromFields?.indexOf(candidate.name) ?? -1
        return relation?.type === model.name && relation.relationToFields?.[position] === field.name
      }),
    )
    return new Set(
      [field, ...referring].map((one) => one.default).filter((value) => typeof value === 'string'),
    )
  }

  #plain(model: Model, field: Field): readonly unknown[] {
    if (field.kind === 'enum') {
      return (
        this.#dataModel.enums.find(({ name }) => name === field.type)?.values.map(({ name }) => name) ?? []
      )
    }
    if (field.isUpdatedAt) return [new Date('2002-03-04T05:06:07.008Z')]
    const [native, [size] = []] = field.nativeType ?? [field.type, []]
    const values = byNativeType[native] ?? byType[field.type]
    if (!values) throw new Error(`No values are known for ${model.name}.${field.name}, a ${native}.`)
    const length = Number(size)
    return field.type === 'String' && length > 0 && native !== 'Bit'
      ? [...new Set(values.map((value) => String(value).slice(0, length)))]
      : values
  }
}

function isKey(model: Model, field: Field): boolean {
  return (
    field.isId ||
    field.isUnique ||
    isAutoincrement(field) ||
    [model.primaryKey, ...model.uniqueIndexes].some((key) => key?.fields.includes(field.name))
  )
}

const days = [new Date('2001-01-01'), new Date('1969-12-31'), new Date('0033-04-03')]
const times = [new Date('1970-01-01T12:34:56.789Z'), new Date('1970-01-01T00:00:00Z')]

const byNativeType: Record<string, readonly unknown[]> = {
  SmallInt: [0, 3, -32_768],
  Oid: [0, 4_000_000_000],
  Real: [0, 0.5, -1e20],
  Money: ['0', '12.34', '-1234567.89'],
  Uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ffffffff-ffff-4fff-8fff-ffffffffffff'],
  Inet: ['203.0.113.7', '2001:db8::1', '10.0.0.0/8'],
  Bit: ['101', '000'],
  VarBit: ['1', '0011'],
  Xml: ['<a>1</a>', '<b/>'],
  Date: days,
  Time: times,
  Timetz: times,
}

const byType: Record<string, readonly unknown[]> = {
  String: ['a', 'b', 'é"\\', "it's", '', '{1,NULL}', '\t line\n'],
  Boolean: [true, false],
  Int: [0, 1, -2_147_483_648, 42],
  BigInt: [0n, 9_223_372_036_854_775_807n, -1n],
  Float: [0, 0.1, -1.5e300],
  Decimal: ['0', '1.10', '-2.5'],
  DateTime: [
    new Date('2001-02-03T04:05:06.007Z'),
    new Date('1970-01-01T00:00:00Z'),
    new Date('0044-03-15T12:00:00Z'),
  ],
  Json: [{ a: 1, b: [null, 'x'] }, [1, 2], 'text', 0, true, {}],
  Bytes: [Uint8Array.from([0, 1, 255]), Uint8Array.from([])],
}
