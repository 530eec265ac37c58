import { Decimal } from '@prisma/client/runtime/client'
import type { StoredField, StoredModel } from '../models/stored-models.ts'
import { erasedValue } from './erased.ts'
import { redactedValue } from './redacted.ts'
import { beyondJsonb } from './storable.ts'

/** A record in JSON, as in `before` and `after` of an entry: field → value. */
export type LoggedRow = Readonly<Record<string, unknown>>

/**
 * A whole record as Prisma returns it, from the log's JSON: Date, Decimal, bigint, Uint8Array, enum values by their
 * names in the client. A field that the log does not have is null, or an empty list. A redacted one stays
 * `"[redacted]"`, an erased one `"[erased]"`. A value that no longer fits its type, after a migration, is left unchanged.
 */
export function reviveRow(model: StoredModel, row: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(model.scalars.map((field) => [field.name, revive(field, row.get(field.name))]))
}

/** One field's value as Prisma returns it, from the log's JSON. */
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
  if (value === redactedValue || value === erasedValue) return value
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

/** json holds values that jsonb can't; an entry then has the JSON text, in which a string still has its quotes. */
function reviveJsonText(value: unknown): unknown {
  if (typeof value !== 'string' || !isBeyondJsonb.test(JSON.stringify(value))) return value
  try {
    return JSON.parse(value)
  } catch {
    return value // the user's own text, which the entry has unchanged
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

/** As Prisma reads the column: times are on the first day of 1970, and the offset of a timetz is dropped. */
function dateOf(databaseType: string, text: string): Date {
  switch (databaseType) {
    case 'time':
      return new Date(`1970-01-01T${text}Z`)
    case 'timetz':
      return new Date(`1970-01-01T${text.replace(/[+-]\d\d(:\d\d)*$/, '')}Z`)
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(text) : new Date(Number.NaN)
    default:
      // infinity and years before Christ are not dates in JavaScript, nor in Prisma
      return /^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text) : new Date(Number.NaN)
  }
}
