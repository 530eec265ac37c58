import type { LoggedModel, ModelField } from './models.ts'

/**
 * The primary key in an object that has it, such as `where` or `data` of a Prisma call: `{ id: 42 }`, the two fields
 * of a composite key, or Prisma's form of it, `{ orderId_productId: { orderId: 42, productId: 7 } }`.
 *
 * @returns undefined when a part of the key is missing or is a condition instead of a value
 */
export function keyIn(model: LoggedModel, object: unknown): unknown[] | undefined {
  if (!isRecord(object) || model.key.length === 0) return undefined
  const values = model.key.map(({ name }) => object[name])
  if (values.every(isKeyValue)) return values
  for (const nested of Object.values(object)) {
    if (!isRecord(nested) || Object.keys(nested).length !== model.key.length) continue
    const parts = model.key.map(({ name }) => nested[name])
    if (model.key.length > 1 && parts.every(isKeyValue)) return parts
  }
  return undefined
}

/** `resource_id` of a record by the values of its key in key order: README, "What an entry looks like". */
export function resourceId(model: LoggedModel, key: readonly unknown[]): string {
  return idOfTexts(keyTexts(model, key))
}

/** The values of a key in key order, as the texts that `resource_id` is made of. */
export function keyTexts(model: LoggedModel, key: readonly unknown[]): string[] {
  return model.key.map((field, index) => {
    const value = key[index]
    return keyText(field, field.labels.get(String(value)) ?? value)
  })
}

/** `resource_id` of a record by the texts of its key. */
export function idOfTexts(texts: readonly string[]): string {
  const id = texts.length === 1 ? (texts[0] ?? '') : JSON.stringify(texts)
  // PostgreSQL counts characters, JavaScript UTF-16 units
  return id.length > 255 ? Array.from(id).slice(0, 255).join('') : id
}

/** A key's value as PostgreSQL writes it, so that it meets what the statement recorded. */
function keyText(field: ModelField, value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return dateText(field.databaseType, value)
  const text = String(value)
  switch (field.databaseType) {
    case 'uuid':
      return text.toLowerCase()
    case 'numeric': {
      const scale = /,(\d+)\)$/.exec(field.declared)?.[1]
      return scale === undefined ? text : withScale(text, Number(scale))
    }
    case 'bpchar': {
      const length = Number(/\((\d+)\)$/.exec(field.declared)?.[1] ?? 1)
      return text.padEnd(length)
    }
    case 'date':
    case 'timestamp':
    case 'timestamptz': {
      const date = new Date(text)
      return Number.isNaN(date.getTime()) ? text : dateText(field.databaseType, date)
    }
    default:
      return text
  }
}

function dateText(databaseType: string, date: Date): string {
  const iso = date.toISOString()
  return databaseType === 'date' ? iso.slice(0, 10) : iso
}

/** `1.5` → `1.50`; a number with more digits than the column has can't be its key, and stays as it is. */
function withScale(text: string, scale: number): string {
  const [whole = '', digits = ''] = text.split('.')
  if (!/^-?\d+$/.test(whole) || digits.length > scale) return text
  return scale === 0 ? whole : `${whole}.${digits.padEnd(scale, '0')}`
}

function isKeyValue(value: unknown): boolean {
  return (
    ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ||
    value instanceof Date ||
    value instanceof Uint8Array ||
    isDecimal(value)
  )
}

/** Decimal.js objects, of whichever copy of the library. */
function isDecimal(value: unknown): boolean {
  return isRecord(value) && typeof value.toFixed === 'function' && 's' in value && 'e' in value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
