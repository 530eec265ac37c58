import { AuditError } from '../errors.ts'
import type { StoredModel } from '../models/stored-models.ts'
import type { Column } from '../postgres/catalog.ts'
import { keyText } from './key-text.ts'
import { redactedValue } from './redacted.ts'
import { isStorable } from './storable.ts'

/** The column's length in characters. A longer key is cut there, but whole in `before` and `after`. */
const longestId = 255

/**
 * The primary key in an object that has it, such as `where` or `data` of a Prisma call: `{ id: 42 }`, the fields of a
 * composite key, or Prisma's form of it, `{ orderId_productId: { orderId: 42, productId: 7 } }`.
 *
 * @returns undefined when a part of the key is missing or is a condition instead of a value
 */
export function keyIn(model: StoredModel, object: unknown): unknown[] | undefined {
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

/**
 * `resource_id` of a record from the values of its key in key order: docs/entries.md, "Ids".
 *
 * @param isRedacted which parts of the key the log must not hold; they become `[redacted]`
 */
export function resourceId(
  model: StoredModel,
  key: readonly unknown[],
  isRedacted: (model: string, field: string) => boolean = () => false,
): string {
  const texts = keyTexts(model, key)
  return idOfTexts(
    model.key.map(({ name }, index) => (isRedacted(model.name, name) ? redactedValue : (texts[index] ?? ''))),
  )
}

/** The values of a key in key order, as the texts that `resource_id` is made of. */
export function keyTexts(model: StoredModel, key: readonly unknown[]): string[] {
  return model.key.map((field, index) => {
    const value = key[index]
    return keyText(field, field.labels.get(String(value)) ?? value)
  })
}

/**
 * `resource_id` of a record from the texts of its key: the text itself, or for a composite key a JSON array without
 * spaces.
 */
export function idOfTexts(texts: readonly string[]): string {
  const id = texts.length === 1 ? (texts[0] ?? '') : JSON.stringify(texts)
  // PostgreSQL counts characters, JavaScript UTF-16 units
  return id.length > longestId ? Array.from(id).slice(0, longestId).join('') : id
}

/** Whether a `resource_id` may be only the beginning of a key's text. */
export function isCutId(id: string): boolean {
  return Array.from(id).length >= longestId
}

/** {@link idOfTexts} in SQL: an expression made from the expressions of the texts; NULL without a key. */
export function idExpression(key: readonly Column[], texts: readonly string[]): string {
  const [first] = texts
  if (first === undefined) return 'NULL::text'
  const items = texts.map((text) => `pg_catalog.to_json(${text})::text`)
  const id = texts.length === 1 ? first : `'[' || ${items.join(` || ',' || `)} || ']'`
  return key.some(isUnbounded) ? `pg_catalog.left(${id}, ${longestId})` : id
}

/** Whether a column's text may be longer than `resource_id` can hold. */
function isUnbounded({ type }: Column): boolean {
  return !['bool', 'int2', 'int4', 'int8', 'uuid', 'date', 'timestamp', 'timestamptz'].includes(type.builtIn)
}

/**
 * `resource_id` from anything that a user may identify a record by: the value of a simple key, an object with the key
 * (see {@link keyIn}), or the text of an entry's `resource.id`.
 *
 * @throws AuditError `AUDIT_INVALID_FILTER`, saying what the model's key is
 */
export function parseRecordId(model: StoredModel, id: unknown): string {
  const [field, ...others] = model.key
  if (field === undefined) {
    throw new AuditError(
      'AUDIT_INVALID_FILTER',
      `The model ${model.name} has no primary key in the database, so its entries identify no record. Search by the resource ${JSON.stringify(model.resource)} alone.`,
    )
  }
  const isComposite = others.length > 0
  const key = isComposite || !isKeyValue(id) ? keyIn(model, id) : [id]
  if (key) return resourceId(model, key)
  if (isComposite && typeof id === 'string' && isKeyValue(id)) return id
  const fields = model.key.map(({ name, type }) => `${name}: ${type}`).join(', ')
  throw new AuditError(
    'AUDIT_INVALID_FILTER',
    `The id does not identify a record of ${model.name}: give ${isComposite ? '' : `its ${field.name} (${field.type}), or `}{ ${fields} } with the whole primary key.`,
  )
}

/**
 * `resource_id` of something that is not a record of a model, as an event named it.
 *
 * @throws AuditError `AUDIT_INVALID_FILTER`
 */
export function parseEventId(id: unknown): string {
  if (isKeyValue(id) && typeof id !== 'object') return String(id)
  throw new AuditError(
    'AUDIT_INVALID_FILTER',
    'The resource is not a model of the client, so its id must be a string or number, as in the event.',
  )
}

function isKeyValue(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value !== '' && isStorable(value)
    case 'number':
      return !Number.isNaN(value)
    case 'bigint':
    case 'boolean':
      return true
    default:
      if (value instanceof Date) return !Number.isNaN(value.getTime())
      return value instanceof Uint8Array || isDecimal(value)
  }
}

/** Decimal.js objects, of any copy of the library. */
export function isDecimal(value: unknown): value is { toFixed(): string } {
  return isRecord(value) && typeof value.toFixed === 'function' && 's' in value && 'e' in value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
