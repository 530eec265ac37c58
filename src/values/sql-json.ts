import type { Column, ColumnType } from '../postgres/catalog.ts'
import { own, quoteLiteral } from '../postgres/identifiers.ts'
import { isoTimestamp } from './iso-timestamp.ts'
import { beyondJsonb } from './storable.ts'

/**
 * Built-in types whose `to_jsonb` is already the value that the log promises: int4 is a number, a date `YYYY-MM-DD`.
 */
const asIs = new Set([
  ...['bool', 'int2', 'int4', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'uuid', 'inet', 'cidr'],
  ...['date', 'time', 'timetz', 'interval', 'xml', 'jsonb'],
])

/** Built-in types whose text does not have to be made from their JSON. */
const plainText = new Set(['bool', 'int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'uuid'])

/**
 * The SQL expression of a column's value as the log writes it. The rules are a contract (docs/entries.md, "Values").
 *
 * @param reference an SQL expression for the column, such as `"n"."price"`
 * @param iso a function in the database that returns a timestamp as the log writes it
 */
export function jsonValue(type: ColumnType, reference: string, iso?: string): string {
  if (type.element) return arrayValue(type.element, reference)
  if (asIs.has(type.builtIn)) return reference
  return scalarValue(type, reference, iso) ?? `${reference}::text`
}

/** A column's value as text in the form of {@link jsonValue}, for `resource_id`. */
export function textValue(column: Column, reference: string): string {
  if (plainText.has(column.type.builtIn)) return `${reference}::text`
  return `(pg_catalog.to_jsonb(${jsonValue(column.type, reference)}) #>> '{}')`
}

/**
 * Whether two values of a column differ, for SQL. Types where equal means the same stored value use their own equality.
 * The others (numeric 1.0 = 1.00, citext 'a' = 'A', a collation that ignores accents, json without equality) use
 * PostgreSQL's record image comparison ("Composite Type Comparison").
 */
export function differs(column: Column, before: string, after: string): string {
  return comparesExactly.has(column.type.builtIn)
    ? `${before} IS DISTINCT FROM ${after}`
    : `ROW(${before})::record *<> ROW(${after})::record`
}

const comparesExactly = new Set([
  ...['bool', 'int2', 'int4', 'int8', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'bytea'],
])

function scalarValue(type: ColumnType, reference: string, iso?: string): string | undefined {
  switch (type.builtIn) {
    case 'timestamp':
      return iso ? `${iso}(${reference})` : timestampValue(reference, type.precision)
    case 'timestamptz':
      return scalarValue({ ...type, builtIn: 'timestamp' }, `(${reference} AT TIME ZONE 'UTC')`, iso)
    case 'json':
      // json stores what jsonb can't: the character with code zero, half a surrogate pair, a number beyond numeric.
      // Then the value is its text
      return `CASE WHEN ${reference}::text ~* ${quoteLiteral(beyondJsonb)} THEN pg_catalog.to_jsonb(${reference}::text) ELSE ${reference}::jsonb END`
    case 'bytea':
      // encode() breaks base64 into lines of 76 characters, as in RFC 2045
      return `pg_catalog.translate(pg_catalog.encode(${reference}, 'base64'), E'\\n', '')`
    default:
      return undefined
  }
}

/**
 * ISO 8601 with `Z`: three digits of a second, as JavaScript writes them, or six where needed. Infinity and years
 * before Christ, which don't fit ISO 8601 with four digits, are as in PostgreSQL's JSON.
 */
function timestampValue(reference: string, precision: number): string {
  const [milliseconds, microseconds] = [isoTimestamp(reference, 'MS'), isoTimestamp(reference, 'US')]
  const hasMore = `pg_catalog.date_trunc('milliseconds', ${reference}) <> ${reference}`
  const iso =
    precision > 3 ? `CASE WHEN ${hasMore} THEN ${microseconds} ELSE ${milliseconds} END` : milliseconds
  // to_char returns NULL for infinity; its text is the same in every DateStyle
  return `CASE WHEN ${reference} < '0001-01-01' THEN pg_catalog.to_jsonb(${reference}) #>> '{}' ELSE COALESCE(${iso}, ${reference}::text) END`
}

function arrayValue(element: ColumnType, reference: string): string {
  if (asIs.has(element.builtIn) || element.isEnum) return reference
  const item = own('item')
  const value = scalarValue(element, `${item}.value`)
  if (value === undefined) return `${reference}::text[]`
  const [row, column] = [own('row'), own('column')]
  const cell = scalarValue(element, `(${reference})[${row}][${column}]`)
  const cells = `SELECT pg_catalog.jsonb_agg(${cell} ORDER BY ${column}) FROM pg_catalog.generate_subscripts(${reference}, 2) AS ${column}`
  return [
    // unnest flattens, so an array of arrays goes cell by cell
    `CASE pg_catalog.array_ndims(${reference})`,
    `WHEN 2 THEN (SELECT pg_catalog.jsonb_agg((${cells}) ORDER BY ${row})`,
    `FROM pg_catalog.generate_subscripts(${reference}, 1) AS ${row})`,
    `ELSE CASE WHEN pg_catalog.array_ndims(${reference}) > 2 THEN pg_catalog.to_jsonb(${reference}::text)`,
    `WHEN ${reference} IS NOT NULL THEN pg_catalog.to_jsonb(ARRAY(SELECT ${value}`,
    `FROM pg_catalog.unnest(${reference}) WITH ORDINALITY AS ${item}(value, position) ORDER BY ${item}.position)) END END`,
  ].join(' ')
}
