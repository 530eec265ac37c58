import type { StoredField } from '../models/stored-models.ts'
import type { ColumnType } from '../postgres/catalog.ts'
import { jsonValue } from './sql-json.ts'

/** The SQL expression that gives a field's column in the same JSON form in which entries have it. */
export function loggedValue(field: StoredField, reference: string): string {
  const precision = /^timestamp\((\d)\)/.exec(field.declared)?.[1]
  const type: ColumnType = {
    builtIn: field.isEnum ? '' : field.databaseType,
    name: field.databaseType,
    isEnum: field.isEnum,
    precision: Number(precision ?? 6),
    element: undefined,
  }
  return jsonValue(field.isList ? { ...type, builtIn: '', element: type } : type, reference)
}
