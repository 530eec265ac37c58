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
 * What to select of a file, as `l`, for a row: one JSON array of texts and nulls, as crossing to JavaScript costs by value. The instant is
 * its microseconds since 1970.
 */
export const storedRow = `json_array(${parquetColumns
  .map(({ name, type }) => {
    const column = `l.${quoteIdentifier(name)}`
    if (type === 'text') return column
    return `${type === 'instant' ? `epoch_us(${column})` : column}::VARCHAR`
  })
  .join(', ')})::VARCHAR`
