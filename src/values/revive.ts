import { Decimal } from '@prisma/client/runtime/client'
import type { StoredField, StoredModel } from '../models/stored-models.ts'
import { redactedValue } from './redacted.ts'
import { beyondJsonb } from './storable.ts'

/** A record in JSON, as `before` and `after` of an entry have it: field → value. */
export type LoggedRow = Readonly<Record<string, unknown>>

/**
 * A whole record as Prisma gives it, from the log's JSON: Date, Decimal, bigint, Uint8Array, enum values by their
 * names in the client. A field that the log does not know is null, or an empty list; a redacted one stays
 * `"[redacted]"`, and a value that its type no longer fits, after a migration, stays as it is.
 */
export function reviveRow(model: StoredModel, row: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(model.scalars.map((field) => [field.name, revive(field, row.get(field.name))]))
}

/** One field's value as Prisma gives it, from the log's JSON. */
export function revive(field: StoredField, value: unknown): unknown {
  if (field.isList && (value === null || value === undefined)) return []
  if (field.isList && Array.isArray(value)) return value.map((item) => reviveItem(field, item))
  return reviveItem(field, value)
}

/** A key's value as Prisma takes it, from the text in `resource_id`. */
export function reviveKey(field: StoredField, text: string): unknown {
  return revive(field, field.type === 'Boolean' ? text === 'true' : text)
}

const specialNumbers = new Set(['NaN', 'Infinity', '-Infinity'])

function reviveItem(field: StoredField, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (value === redactedValue) return value
  if (field.type === 'Json') return field.databaseType === 'json' ? reviveJsonText(value) : value
  if (field.isEnum) return nameOf(field, value)
  const text = String(value)
  switch (field.type) {
    case 'Int':
    case 'Float':
      return specialNumbers.has(text) || isNumber(text) ? Number(text) : value
    case 'BigInt':
      return /^-?\d+$/.test(text) ? BigInt(text) : value
    case 'Decimal':
      return decimalOf(field.databaseType === 'money' ? amountOf(text) : text) ?? value
    case 'DateTime':
      return dateOf(field.databaseType, text)
    case 'Bytes':
      return new Uint8Array(Buffer.from(text, 'base64'))
    default:
      return value
  }
}

const isBeyondJsonb = new RegExp(beyondJsonb, 'i')

/** json holds what jsonb can't, and then an entry has its text; a string with such contents is quoted there once more. */
function reviveJsonText(value: unknown): unknown {
  if (typeof value !== 'string' || !isBeyondJsonb.test(JSON.stringify(value))) return value
  try {
    return JSON.parse(value)
  } catch {
    return value // a text of the user's, which the entry has as it is
  }
}

function nameOf({ labels }: StoredField, value: unknown): unknown {
  for (const [name, label] of labels) if (label === value) return name
  return value
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && !Number.isNaN(Number(text))
}

function decimalOf(text: string): Decimal | undefined {
  return specialNumbers.has(text) || isNumber(text) ? new Decimal(text) : undefined
}

/** `-$1,234.50` → `-1234.50`: PostgreSQL writes money in the server's locale. */
function amountOf(text: string): string {
  const isNegative = text.includes('-') || text.includes('(')
  const [, whole = text, fraction] = /^(.*)[.,](\d{2})(?!\d)[^\d]*$/.exec(text) ?? []
  const digits = whole.replaceAll(/\D/g, '')
  return `${isNegative ? '-' : ''}${digits}${fraction === undefined ? '' : `.${fraction}`}`
}

/** As Prisma reads the column: times are on the first day of 1970, an offset of timetz is dropped. */
function dateOf(databaseType: string, text: string): Date {
  switch (databaseType) {
    case 'time':
      return new Date(`1970-01-01T${text}Z`)
    case 'timetz':
      return new Date(`1970-01-01T${text.replace(/[+-]\d\d(:\d\d)*$/, '')}Z`)
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(text) : new Date(Number.NaN)
    default:
      // infinity and years before Christ are no dates in JavaScript, for Prisma neither
      return /^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text) : new Date(Number.NaN)
  }
}
