import type { StoredField } from '../models/stored-models.ts'

const integerBits = { int2: 15n, int4: 31n, int8: 63n } as const
const textTypes = new Set(['text', 'varchar', 'bpchar', 'citext', 'name'])
const validForms: Readonly<Record<string, RegExp>> = {
  bool: /^(true|false)$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  numeric: /^(-?\d{1,1000}(\.\d{1,1000})?|NaN)$/,
  float4: /^-?\d{1,30}(\.\d+)?$/,
  float8: /^-?\d{1,300}(\.\d+)?(e[+-]?\d{1,2})?$/,
  bytea: /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
}

/**
 * The condition that a column equals a part of a key, given as text in a parameter.
 *
 * @param reference the column in SQL
 */
export function keyCondition(field: StoredField, reference: string, parameter: number): string {
  const text = `$${parameter}::text`
  switch (castOf(field)) {
    case 'bytea':
      return `${reference} = pg_catalog.decode(${text}, 'base64')`
    case 'declared':
      return `${reference} = ${text}::${field.declared}`
    case 'numeric':
      return `${reference} = ${text}::pg_catalog.numeric`
    default:
      return `${reference}::text = ${text}`
  }
}

/**
 * Whether a column could have this value. PostgreSQL refuses to compare with any other, and the error would end the
 * transaction.
 */
export function canBeKey({ databaseType }: StoredField, text: string): boolean {
  if (databaseType in integerBits) {
    const bits = integerBits[databaseType as keyof typeof integerBits]
    if (!/^-?\d{1,30}$/.test(text)) return false
    return BigInt.asIntN(Number(bits) + 1, BigInt(text)) === BigInt(text)
  }
  if (['date', 'timestamp', 'timestamptz'].includes(databaseType)) {
    return /^\d{4}-/.test(text) && !Number.isNaN(Date.parse(text))
  }
  return validForms[databaseType]?.test(text) ?? true
}

function castOf({ databaseType, isEnum }: StoredField): 'bytea' | 'numeric' | 'declared' | 'text' {
  if (isEnum) return 'text'
  if (databaseType === 'bytea' || databaseType === 'numeric') return databaseType
  const isKnown = databaseType in integerBits || databaseType in validForms || textTypes.has(databaseType)
  return isKnown || ['date', 'timestamp', 'timestamptz'].includes(databaseType) ? 'declared' : 'text'
}
