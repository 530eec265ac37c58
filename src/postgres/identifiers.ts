import { AuditError } from '../errors.ts'

/**
 * Quotes an identifier. PostgreSQL manual, "Lexical Structure": inside a quoted identifier only the double quote needs
 * doubling, and the character with code zero is not allowed.
 */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Our own names inside a statement: CTEs, aliases and columns that can't collide with others. */
export function own(name: string): string {
  return quoteIdentifier(`__audit_${name}`)
}

/** A table by schema and name; without a schema, the connection's `search_path` decides. */
export interface TableName {
  readonly schema?: string
  readonly name: string
}

/** `{ schema: 'audit', name: 'log' }` → `"audit"."log"`. */
export function quoteTable(table: TableName): string {
  const name = quoteIdentifier(table.name)
  return table.schema === undefined ? name : `${quoteIdentifier(table.schema)}.${name}`
}

/** A quoted column of a quoted table or alias: `"o"."name"`. */
export function columnOf(reference: string, column: { readonly name: string }): string {
  return `${reference}.${quoteIdentifier(column.name)}`
}

/** Quotes a string constant, for the rare place that allows no parameter: names from the catalog. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * Parses a table as the `table` option and `init --table` take it: `name` or `schema.name`, each a plain or a
 * double-quoted identifier.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` when it is neither, or a name is longer than PostgreSQL's 63 bytes.
 */
export function parseTableName(text: string): TableName {
  const identifier = String.raw`(?:[^".\0\s]+|"(?:[^"\0]|"")+")`
  const match = new RegExp(`^(?:(${identifier})\\.)?(${identifier})$`).exec(text)
  const [schema, name] = [match?.[1], match?.[2]].map((part) => part && unquoteIdentifier(part))
  if (name === undefined || [schema, name].some((part) => Buffer.byteLength(part ?? '') > 63)) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      `The table ${JSON.stringify(text)} is not a table name. Give "name" or "schema.name", each at most 63 bytes; a name with dots or spaces goes in double quotes.`,
    )
  }
  return schema === undefined ? { name } : { schema, name }
}

/** The name that an identifier stands for. */
export function unquoteIdentifier(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier
}
