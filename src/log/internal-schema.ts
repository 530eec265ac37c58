import { quoteIdentifier, type TableName } from '../postgres/identifiers.ts'

/**
 * The schema for what nobody else calls. Its name stands in SQL inside SQL, where quotes and percent signs would have to
 * be doubled once more at each level. Logs of one name share it: what is there knows the log as an argument, or in a column.
 */
export function internalSchema(table: TableName): string {
  return `${table.name.replace(/['%\\$]/g, '_')}_internal`
}

/** What is kept beside a log, each table for all logs of the schema. */
export type InternalTable =
  | 'eras'
  | 'consumers'
  | 'sealed_leaves'
  | 'seal_salts'
  | 'seal_nodes'
  | 'checkpoints'
  | 'verifications'
  | 'archives'

/** A table of the internal schema, quoted. */
export function internalTable(table: TableName, name: InternalTable): string {
  return internalName(table, name)
}

/** Whatever is in the internal schema, quoted: a function, or a table that nobody but the owner of the log uses. */
export function internalName(table: TableName, name: string): string {
  return `${quoteIdentifier(internalSchema(table))}.${quoteIdentifier(name)}`
}
