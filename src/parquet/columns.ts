import { columnNames, type LogColumn } from '../log/columns.ts'
import { quoteIdentifier } from '../postgres/identifiers.ts'

/** What engines call a type. */
export type ParquetType = 'text' | 'instant' | 'integer'

/** The columns of a file in their order; all but these two kinds are text, as PostgreSQL prints it. */
export const parquetColumns: readonly { readonly name: LogColumn; readonly type: ParquetType }[] =
  columnNames.map((name) => ({ name, type: typeOf(name) }))

function typeOf(name: LogColumn): ParquetType {
  if (name === 'timestamp') return 'instant'
  return name === 'seq' || name === 'transaction_id' ? 'integer' : 'text'
}

/**
 * What to select of a file for a row with nothing but text in it, and its place: each text behind a character that
 * {@link storedText} takes away, as the driver takes a byte order mark (U+FEFF) from the beginning of a text.
 */
export const storedColumns = parquetColumns
  .map(({ name, type }) => {
    const column = quoteIdentifier(name)
    return `'=' || ${type === 'instant' ? `epoch_us(${column})` : column}::VARCHAR AS ${column}`
  })
  .join(', ')

/** A value of {@link storedColumns}; null where there is none. */
export function storedText(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(1) : null
}
