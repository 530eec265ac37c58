import type { DataModel } from '../models/data-model.ts'

/** A filter without its values: the same names, with `'?'` for each value. */
export type FilterShape = '?' | { readonly [name: string]: FilterShape } | readonly FilterShape[]

/**
 * The shape of a `where`: fields and operators, never a value. A list of values is one `'?'`, and conditions of the
 * same shape appear once.
 *
 * @example
 * ```ts
 * filterShape(dataModel, 'Patient', { name: { contains: 'Ada' }, id: { in: [1, 2] } })
 * // { name: { contains: '?' }, id: { in: '?' } }
 * ```
 */
export function filterShape(dataModel: DataModel, model: string, where: unknown): FilterShape {
  if (Array.isArray(where)) {
    const shapes = where.map((item) => filterShape(dataModel, model, item))
    return [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()] // a long OR is one shape
  }
  return shapeOfFields(where, (name, value) => {
    if (['AND', 'OR', 'NOT'].includes(name)) return filterShape(dataModel, model, value)
    const field = dataModel.models[model]?.fields.find((one) => one.name === name)
    if (!field) return shapeOfFields(value, () => '?') // the parts of a compound key
    if (field.kind !== 'object') return operators(value, field.type === 'Json')
    // a relation: its filter, or one inside `is`, `some` and the like
    const isField = (part: string) => dataModel.models[field.type]?.fields.some((one) => one.name === part)
    return shapeOfFields(value, (part, inner) =>
      ['is', 'isNot', 'some', 'every', 'none'].includes(part) && !isField(part)
        ? filterShape(dataModel, field.type, inner)
        : ((filterShape(dataModel, field.type, { [part]: inner }) as Record<string, FilterShape>)[part] ??
          '?'),
    )
  })
}

/** `not` may hold operators again; for Json it holds a value, and its keys must not appear. */
function operators(value: unknown, isJson: boolean): FilterShape {
  return shapeOfFields(value, (name, inner) => (name === 'not' && !isJson ? operators(inner, isJson) : '?'))
}

/** Plain objects keep their keys; everything else is a value. */
function shapeOfFields(value: unknown, inner: (name: string, value: unknown) => FilterShape): FilterShape {
  if (!isPlainObject(value)) return '?'
  const given = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(given.map(([name, one]) => [name, inner(name, one)]))
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
