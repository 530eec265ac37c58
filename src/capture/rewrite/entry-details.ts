import { own, quoteIdentifier, quoteLiteral } from '../../postgres/identifiers.ts'
import type { EntryParameters } from './entry-parameters.ts'

/** A field of a JSON object: its name, and its value as an SQL expression. */
export interface Field {
  readonly name: string
  readonly value: string
}

/** PostgreSQL takes at most 100 arguments in a call. */
const maxFields = 50

/**
 * `details` as one JSON document, with whole rows nested in it. There are two ways to write it. `to_jsonb` over nested
 * records runs fastest for many rows, but its subqueries take long to plan. So `jsonb_build_object` is better for the
 * few rows of most statements (update of a row: 75 µs of 400).
 */
export function entryDetails(
  parts: Record<string, string | readonly Field[]>,
  entry: EntryParameters,
): string {
  const all = { ...parts }
  if (entry.shape.operation) all.operation = entry.reference('operation')
  if (entry.shape.metadata) all.metadata = entry.reference('metadata')
  if (entry.shape.revertOf) all.revertOf = entry.reference('revertOf')
  const fits = Object.values(all).every((part) => typeof part === 'string' || part.length <= maxFields)
  return entry.expectsFewRows && fits ? built(all) : nested(all)
}

/** A row as a JSON object, when there are few rows. */
export function rowObject(fields: readonly Field[]): string {
  const row = own('row')
  return fields.length <= maxFields
    ? buildObject(fields)
    : `(SELECT pg_catalog.to_jsonb(${row}) FROM (${selectFields(fields)}) AS ${row})`
}

function built(parts: Record<string, string | readonly Field[]>): string {
  return buildObject(
    Object.entries(parts).map(([name, part]) => ({
      name,
      value: typeof part === 'string' ? part : buildObject(part),
    })),
  )
}

function buildObject(fields: readonly Field[]): string {
  const items = fields.map(({ name, value }) => `${quoteLiteral(name)}, ${value}`)
  return `pg_catalog.jsonb_build_object(${items.join(', ')})`
}

function nested(parts: Record<string, string | readonly Field[]>): string {
  const rows = Object.entries(parts).flatMap(([name, part]) =>
    typeof part === 'string' ? [] : [`(${selectFields(part)}) AS ${own(name)}`],
  )
  const fields = Object.entries(parts).map(([name, part]) =>
    typeof part === 'string'
      ? `${part} AS ${quoteIdentifier(name)}`
      : `${own(name)} AS ${quoteIdentifier(name)}`,
  )
  const from = rows.length > 0 ? ` FROM ${rows.join(', ')}` : ''
  return `(SELECT pg_catalog.to_jsonb(${own('details')}) FROM (SELECT ${fields.join(', ')}${from}) AS ${own('details')})`
}

/** A query that returns one row with these columns. */
export function selectFields(fields: readonly Field[]): string {
  return `SELECT ${fields.map(({ name, value }) => `${value} AS ${quoteIdentifier(name)}`).join(', ')}`
}
