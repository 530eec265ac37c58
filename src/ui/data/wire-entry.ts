import { columnNames, type LogColumn, readColumn } from '../../log/columns.ts'
import type { EntryRow } from '../../log/entry.ts'
import { quoteIdentifier } from '../../postgres/identifiers.ts'
import { isoInstant } from '../../values/iso-timestamp.ts'

/** Details of more than this many bytes, as stored, are left out of lists. */
const longDetails = 8192

/** Columns that JSON would write differently: digits beyond JavaScript's, and the session's form of a time. */
const travelling: Partial<Record<LogColumn, string>> = {
  timestamp: isoInstant('"timestamp"'),
  seq: 'seq::text',
  transaction_id: 'transaction_id::text',
}

const grouped = /^(actor|resource)_(.+)$/

function entryJson(details: string, shortened: string): string {
  const values = { ...travelling, details }
  const value = (name: LogColumn) => values[name] ?? readColumn(name)
  const group = (wanted: string) =>
    columnNames.flatMap((name) => {
      const [, of, part] = grouped.exec(name) ?? []
      return of === wanted ? [`'${part}', ${value(name)}`] : []
    })
  const single = columnNames
    .filter((name) => !grouped.test(name))
    .map((name) => `'${camelCase(name)}', ${value(name)}`)
  const parts = [
    ...single,
    `'actor', json_build_object(${group('actor').join(', ')})`,
    `'resource', json_build_object(${group('resource').join(', ')})`,
    `'shortened', ${shortened}`,
  ]
  return `json_build_object(${parts.join(', ')}) AS entry`
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** Selects a `WireEntry` with all of its details. */
export const wholeEntry = entryJson('details::text', 'false')

// pg_column_size does not read values stored out of line, so a list of long entries is as fast as one of short ones
const isLong = `coalesce(pg_catalog.pg_column_size(details) > ${longDetails}, false)`

/** What a list has of long details. */
export const smallParts = [
  ...['changed', 'operation', 'cause', 'source', 'relation', 'target', 'count', 'fields', 'via'],
]

const small = smallParts.map((name) => `'${name}', details->'${name}'`).join(', ')

/** Selects a `WireEntry` for a list. */
export const listEntry = entryJson(
  `(CASE WHEN ${isLong} THEN jsonb_strip_nulls(jsonb_build_object(${small})) ELSE details END)::text`,
  isLong,
)

/** A row of the log's table as it comes through JSON. */
export type JsonEntryRow = Omit<EntryRow, 'timestamp' | 'seq' | 'transaction_id'> &
  Record<'timestamp' | 'seq' | 'transaction_id', string>

/** Selects a {@link JsonEntryRow}. */
export const jsonEntry = columnNames
  .map((name) => `${travelling[name] ?? readColumn(name)} AS ${quoteIdentifier(name)}`)
  .join(', ')

export function rowOfJson(row: JsonEntryRow): EntryRow {
  return {
    ...row,
    timestamp: new Date(row.timestamp),
    seq: BigInt(row.seq),
    transaction_id: BigInt(row.transaction_id),
  } as EntryRow
}
