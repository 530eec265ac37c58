import fc from 'fast-check'
import { quote } from '../support/quote.ts'
import { type Field, foreignKeyOf, isInKey, type Model, scalarsOf, uniqueKeysOf } from './data-model.ts'
import type { RawCall } from './steps.ts'

/** Raw SQL over one model's table, by each of the ways to send it. */
export function rawStatements(model: Model): fc.Arbitrary<RawCall>[] {
  const table = quote(model.dbName ?? model.name)
  const [key] = uniqueKeysOf(model)
  const column = key?.fields[0] && columnOf(key.fields[0])
  if (!column) return []
  // a key's values end in a number
  const ending = fc.constantFrom('%1', '%2', '%3', '%4', '%n')
  const where = `WHERE CAST(${column} AS text) LIKE $1`
  const executed = (operation: RawCall['operation'], sql: string) =>
    ending.map((end): RawCall => ({ model: '', operation, args: [sql, end] }))
  const assignments = scalarsOf(model).flatMap((field) => assignmentsTo(model, field))
  return [
    ...assignments.map((assignment) =>
      executed('$executeRawUnsafe', `UPDATE ${table} SET ${assignment} ${where}`),
    ),
    ...assignments
      .slice(0, 2)
      .map((assignment) =>
        executed(
          '$queryRawUnsafe',
          `UPDATE ${table} SET ${assignment} ${where} RETURNING ${readable(model)}`,
        ),
      ),
    executed('$executeRaw', `DELETE FROM ${table} ${where}`),
    executed('$queryRaw', `DELETE FROM ${table} AS gone ${where} RETURNING ${column} AS id`),
    executed(
      '$executeRawUnsafe',
      `INSERT INTO ${table} SELECT * FROM ${table} ${where} ON CONFLICT DO NOTHING`,
    ),
    executed('$queryRawUnsafe', `SELECT count(*)::int AS count FROM ${table} ${where}`),
  ]
}

/**
 * Prisma can't read money in a raw answer, and throws when the write has been done: no failure, so nothing that the log
 * would have as one.
 */
function readable(model: Model): string {
  const columns = scalarsOf(model).filter(({ nativeType }) => nativeType?.[0] !== 'Money')
  return columns.length === scalarsOf(model).length ? '*' : columns.map(columnOf).join(', ')
}

/** Changes that need to know no value: to another one of the same column, to null, to the default. */
function assignmentsTo(model: Model, field: Field): string[] {
  const column = columnOf(field)
  if (field.isId || foreignKeyOf(model, field)) return field.isRequired ? [] : [`${column} = NULL`]
  const isKey = isInKey(model, field)
  const own = field.type === 'Int' && !field.isList && !isKey ? [`${column} = ${column} + 1`] : []
  const text =
    field.type === 'String' && !field.isList && !field.nativeType && !isKey
      ? [`${column} = ${column} || 'x'`]
      : []
  const unset = field.isRequired ? [] : [`${column} = NULL`]
  return [...own, ...text, ...unset, ...(hasDatabaseDefault(field) ? [`${column} = DEFAULT`] : [])]
}

/** The client makes the others itself. */
function hasDatabaseDefault({ hasDefaultValue, default: value }: Field): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value)) return hasDefaultValue
  return ['autoincrement', 'now', 'dbgenerated'].includes(String(value.name))
}

function columnOf(field: Field): string {
  return quote(field.dbName ?? field.name)
}
