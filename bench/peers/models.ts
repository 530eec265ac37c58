import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AuditMetadata, AuditModel } from 'prisma-audit'
import type { Row } from './contender.ts'

/** Where the generated schemas of application and logs are. */
export const schemaFolder = fileURLToPath(new URL('../generated/peers/prisma/', import.meta.url))

/** The application's models, as parsed when the client was generated. */
export const metadata = JSON.parse(readFileSync(`${schemaFolder}prisma-audit.json`, 'utf8')) as AuditMetadata

/** A model by its name, in either case (`OrderItem`, `orderItem`). */
export function modelNamed(name: string): AuditModel {
  const model = metadata.models.find((one) => one.name === name || one.delegate === name)
  if (!model) throw new Error(`The application has no model ${name}`)
  return model
}

export function tableOf(model: AuditModel): string {
  return model.tableName ?? model.name
}

/** A row by Prisma's field names → by column names. */
export function byColumn(model: AuditModel, row: Row): Row
export function byColumn(model: AuditModel, row: Row | null | undefined): Row | undefined
export function byColumn(model: AuditModel, row: Row | null | undefined): Row | undefined {
  if (!row) return undefined
  const columns = new Map(model.fields.map(({ name, columnName = name }) => [name, columnName]))
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [columns.get(name) ?? name, value]))
}
