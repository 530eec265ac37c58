import type { ArchivedEntry } from '../../log/archived-log.ts'
import { columnNames, type LogColumn } from '../../log/columns.ts'
import { quoteTable } from '../../postgres/identifiers.ts'
import {
  type CommittedRange,
  commitOrder,
  placeOfEntry,
  rangeCondition,
} from '../../reader/committed-range.ts'
import { compareCursors, type ReaderCursor, startOf } from '../../reader/cursor.ts'
import type { KnownPosition } from '../../reader/eras.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { canonicalSql } from '../canonical-form.ts'
import { erasing } from '../erased-entry.ts'
import { packedRow, rowSeparator, unpackForms } from './packed-rows.ts'

/** The columns of a row in their order, as the canonical form has them. */
export type RowValues = (string | null)[]

/** How many rows are read at a time: a few more than a part of what was sealed has. */
const pageSize = 10_000

/** Rows that follow each other. */
export interface RowsInPlace {
  /** Their canonical forms, in UTF-8: made when they are asked for, which leaves the database at work on the next rows. */
  forms(): Promise<readonly Buffer[]>
  /** Whether one of them may tell of an erasure. */
  readonly mayTell: boolean
}

/** The rows behind one place and up to another, in the order of readers, a page at a time. */
export async function* readRowsBetween(
  log: ReaderLog,
  position: KnownPosition,
  first: ReaderCursor,
  last: ReaderCursor,
): AsyncGenerator<RowsInPlace, void, void> {
  // somebody may have taken the last eras away: then what they had is of the one before
  const present = position.eras.at(-1)?.number ?? 1
  const known = (place: ReaderCursor) => ({ ...place, era: Math.min(place.era, present) })
  const [after, until] = [known(first), known(last)]
  for (const { number } of position.eras) {
    if (number < after.era || number > until.era) continue
    let from = number === after.era ? after : startOf(number)
    while (true) {
      const range: CommittedRange = {
        ...{ after: from, isWhole: true },
        ...(number === until.era ? { until } : {}),
      }
      if (range.until && compareCursors(from, range.until) >= 0) break
      const page = await readRowPage(log, position, range)
      if (!page) break
      yield page
      if (page.count < pageSize) break
      const last = (await page.forms()).at(-1) as Buffer
      from = { ...ownPlaceOf(parseForm(last), position), era: number }
    }
  }
}

const columnAt = Object.fromEntries(columnNames.map((name, index) => [name, index])) as Record<
  LogColumn,
  number
>

/** The row that a canonical form is of. */
export function parseForm(form: Buffer): RowValues {
  return JSON.parse(form.toString()) as RowValues
}

export function textIn(row: RowValues, name: LogColumn): string | null {
  return row[columnAt[name]] ?? null
}

/** Where a row says that it stands, in the era that its `seq` is of. */
export function ownPlaceOf(row: RowValues, position: KnownPosition): ReaderCursor {
  const number = (name: LogColumn) => textIn(row, name) ?? '0'
  return placeOfEntry(position, { transaction_id: number('transaction_id'), seq: number('seq') })
}

async function readRowPage(
  { table, connection }: ReaderLog,
  position: KnownPosition,
  range: CommittedRange,
): Promise<(RowsInPlace & { readonly count: number }) | undefined> {
  const values: string[] = []
  const condition = rangeCondition(position, range, values)
  const select = (line: string) => `SELECT ${line} AS line
  FROM ${quoteTable(table)} AS l WHERE ${condition} ORDER BY ${commitOrder} LIMIT ${pageSize}`
  const [found] = await connection.query<{ rows: string | null; count: number }>(
    `SELECT pg_catalog.string_agg(r.line, ${rowSeparator}) AS rows, count(*)::int4 AS count FROM (${select(packedRow)}) AS r`,
    ...values,
  )
  if (!found || found.rows === null) return undefined
  const { rows, count } = found
  /** Somebody's text has one of the characters that stand between. */
  const readExactly = async () => {
    const [exact] = await connection.query<{ rows: string }>(
      `SELECT pg_catalog.json_agg(r.line)::text AS rows FROM (${select(canonicalSql)}) AS r`,
      ...values,
    )
    return (JSON.parse(exact?.rows ?? '[]') as RowValues[]).map((row) => Buffer.from(JSON.stringify(row)))
  }
  return {
    count,
    mayTell: rows.includes(erasing),
    forms: async () => unpackForms(Buffer.from(rows), count) ?? (await readExactly()),
  }
}

/** The rows of an action behind a place, a few at a time: each may be long. */
export async function* readRowsBehind(
  { table, connection }: ReaderLog,
  position: KnownPosition,
  after: ReaderCursor,
  action: string,
): AsyncGenerator<RowValues[], void, void> {
  for (const { number } of position.eras) {
    let from: ReaderCursor | undefined = number < after.era ? undefined : startOf(number)
    if (number === after.era) from = after
    while (from) {
      const values: string[] = [action]
      const condition = rangeCondition(position, { after: from, isWhole: true }, values)
      const [found]: { rows: string }[] = await connection.query<{ rows: string }>(
        `SELECT coalesce(pg_catalog.json_agg(r.line), '[]')::text AS rows FROM (SELECT ${canonicalSql} AS line FROM ${quoteTable(table)} AS l
  WHERE l.action = $1::text AND ${condition} ORDER BY ${commitOrder} LIMIT 10) AS r`,
        ...values,
      )
      const rows = JSON.parse(found?.rows ?? '[]') as RowValues[]
      if (rows.length > 0) yield rows
      from = rows.length < 10 ? undefined : { ...ownPlaceOf(rows.at(-1) as RowValues, position), era: number }
    }
  }
}

/** A row as the archive has it. */
export function archivedValues({ row }: ArchivedEntry): RowValues {
  return columnNames.map((name) => row[name])
}

/** The row of an id, in the table or else in the archive. */
export async function readRowOfBoth(
  log: ReaderLog,
  id: string,
): Promise<{ readonly row: RowValues; readonly isArchived: boolean } | undefined> {
  const [row] = await readRowsById(log, [id])
  if (row) return { row, isArchived: false }
  const [archived] = (await log.archive?.byIds([id])) ?? []
  return archived && { row: archivedValues(archived), isArchived: true }
}

/** The rows of these ids that are in the table, wherever they stand. */
export async function readRowsById(
  { table, connection }: ReaderLog,
  ids: readonly string[],
): Promise<RowValues[]> {
  if (ids.length === 0) return []
  const [found] = await connection.query<{ rows: string }>(
    `SELECT coalesce(pg_catalog.json_agg(${canonicalSql} ORDER BY ${commitOrder}), '[]')::text AS rows FROM ${quoteTable(table)} AS l
WHERE l.id IN (SELECT i::uuid FROM pg_catalog.json_array_elements_text($1::text::json) AS i)`,
    JSON.stringify(ids),
  )
  return JSON.parse(found?.rows ?? '[]') as RowValues[]
}
