import { DbNull, Decimal, JsonNull } from '@prisma/client/runtime/client'
import type { Log } from '../log/log.ts'
import type { StoredField, StoredModel } from '../models/stored-models.ts'
import { type LoggedRow, revive } from '../values/revive.ts'
import { isVolatile } from './revert-conflict.ts'
import { type RevertibleChange, refuse } from './revert-entry.ts'

/** How Prisma identifies a record: by the fields of its key. */
export function whereOf(model: StoredModel, row: LoggedRow): Record<string, unknown> {
  return Object.fromEntries(model.key.map((field) => [field.name, revive(field, row[field.name])]))
}

/**
 * The values to put back, as Prisma takes them.
 *
 * @param row the record as it is now, if it exists
 * @throws AuditError `AUDIT_REVERT_REFUSED` for a value that Prisma can't write
 */
export function dataOf(
  log: Log,
  change: RevertibleChange,
  names: readonly string[],
  row: LoggedRow | undefined,
): Record<string, unknown> {
  const { model, before, after } = change
  const isLeftAlone = ({ name, computed }: StoredField) =>
    computed === 'generated' ||
    // changed again since, by a change that is not undone
    (row && change.verb === 'update' && isVolatile(log, change, name) && row[name] !== after[name])
  const fields = model.scalars.filter((field) => names.includes(field.name) && !isLeftAlone(field))
  return Object.fromEntries(fields.map((field) => [field.name, inputOf(change, field, before[field.name])]))
}

/** In a required Json field, null is JSON's null; in an optional one, the log does not distinguish the two. */
function inputOf(change: RevertibleChange, field: StoredField, value: unknown): unknown {
  if (field.type === 'Json' && !field.isList && value === null) return field.isNullable ? DbNull : JsonNull
  const revived = revive(field, value)
  const items = Array.isArray(revived) && field.isList ? revived : [revived]
  if (value !== null && !items.every((item) => isWritable(field, item))) {
    throw refuse(
      change.entry,
      `Prisma can't write ${JSON.stringify(value)} into ${field.name}, which is ${field.declared}`,
    )
  }
  if (field.databaseType === 'timetz' && /[+-](?!00(:00)*$)\d\d(:\d\d)*$/.test(String(value))) {
    throw refuse(change.entry, `Prisma can't write the offset of ${JSON.stringify(value)} into ${field.name}`)
  }
  return revived
}

function isWritable({ type }: StoredField, value: unknown): boolean {
  switch (type) {
    case 'Int':
    case 'Float':
      return typeof value === 'number'
    case 'BigInt':
      return typeof value === 'bigint'
    case 'Decimal':
      return Decimal.isDecimal(value)
    case 'DateTime':
      return value instanceof Date && !Number.isNaN(value.getTime())
    default:
      return true
  }
}
