import type { ArchivedEntry } from '../../log/archived-log.ts'
import { columnNames, type LogColumn } from '../../log/columns.ts'
import { quoteTable } from '../../postgres/identifiers.ts'
import { type CommittedRange, commitOrder, eraOf, rangeCondition } from '../../reader/committed-range.ts'
import { compareCursors, type ReaderCursor, startOf } from '../../reader/cursor.ts'
import type { ReaderPosition } from '../../reader/eras.ts'
import { exactColumn } from '../../reader/exact-row.ts'
import type { ReaderLog } from '../../reader/reader-log.ts'
import { canonicalSql } from '../canonical-form.ts'

/** The columns of a row in their order, as the canonical form has them. */
export type RowValues = (string | null)[]

/** How many rows are read at a time: a few more than a part of what was sealed has. */
const pageSize = 10_000

// Characters that hardly any text has: a row as one text is several times faster to read than as 17 columns.
const separators = { column: '\u001f', row: '\u001d' }

const nullable: readonly LogColumn[] = [
  ...(['actor_email', 'resource_id', 'reason', 'details'] as const),
  ...(['request_id', 'ip', 'user_agent', 'organization_id'] as const),
]

/** The rows behind one place and up to another, in the order of readers, a page at a time. */
export async function* readRowsBetween(
  log: ReaderLog,
  position: ReaderPosition,
  after: ReaderCursor,
  until: ReaderCursor,
): AsyncGenerator<RowValues[], void, void> {
  for (const { number } of position.eras) {
    if (number < after.era || number > until.era) continue
    let from: ReaderCursor | undefined = number === after.era ? after : startOf(number)
    while (from) {
      const range: CommittedRange = {
        ...{ after: from, isWhole: true },
        ...(number === until.era ? { until } : {}),
      }
      if (range.until && compareCursors(from, range.until) >= 0) break
      const rows = await readRowPage(log, position, range)
      if (rows.length > 0) yield rows
      from = rows.length < pageSize ? undefined : placeOfRow(rows.at(-1) as RowValues, number)
    }
  }
}

const columnAt = Object.fromEntries(columnNames.map((name, index) => [name, index])) as Record<
  LogColumn,
  number
>

export function textIn(row: RowValues, name: LogColumn): string | null {
  return row[columnAt[name]] ?? null
}

/** Where a row says that it stands. */
export function placeOfRow(row: RowValues, era: number): ReaderCursor {
  const number = (name: LogColumn) => BigInt(textIn(row, name) ?? '0')
  return { era, transactionId: number('transaction_id'), seq: number('seq') }
}

/** The same, in the era that its `seq` is of. */
export function ownPlaceOf(row: RowValues, position: ReaderPosition): ReaderCursor {
  return placeOfRow(row, eraOf(position, BigInt(textIn(row, 'seq') ?? '0')).number)
}

async function readRowPage(
  { table, connection }: ReaderLog,
  position: ReaderPosition,
  range: CommittedRange,
): Promise<RowValues[]> {
  const values: string[] = []
  const condition = rangeCondition(position, range, values)
  const select = (line: string) => `SELECT ${line} AS line
  FROM ${quoteTable(table)} AS l WHERE ${condition} ORDER BY ${commitOrder} LIMIT ${pageSize}`
  const [packed] = await connection.query<{ rows: string | null; count: number }>(
    `SELECT pg_catalog.string_agg(r.line, '${separators.row}') AS rows, count(*)::int4 AS count FROM (${select(packedLine)}) AS r`,
    ...values,
  )
  if (!packed?.rows) return []
  const rows = unpack(packed.rows)
  if (rows.length === packed.count && rows.every(({ length }) => length === columnNames.length)) return rows
  // somebody's text has one of these characters
  const [exact] = await connection.query<{ rows: string }>(
    `SELECT pg_catalog.json_agg(r.line)::text AS rows FROM (${select(canonicalSql)}) AS r`,
    ...values,
  )
  return JSON.parse(exact?.rows ?? '[]') as RowValues[]
}

const packedLine = `pg_catalog.concat_ws('${separators.column}', ${columnNames
  .map((name) =>
    // what can't be null is null only where somebody has altered the table: a separator more, and all is read exactly
    nullable.includes(name)
      ? `coalesce('"' || ${exactColumn(name)}, '')`
      : `coalesce(${exactColumn(name)}, '${separators.column}')`,
  )
  .join(', ')})`

const nullableAt = nullable.map((name) => columnAt[name])

function unpack(text: string): RowValues[] {
  return text.split(separators.row).map((line) => {
    const row: RowValues = line.split(separators.column)
    for (const at of nullableAt) row[at] = row[at] ? (row[at] as string).slice(1) : null
    return row
  })
}

/** The rows of an action behind a place, a few at a time: each may be long. */
export async function* readRowsBehind(
  { table, connection }: ReaderLog,
  position: ReaderPosition,
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
      from = rows.length < 10 ? undefined : placeOfRow(rows.at(-1) as RowValues, number)
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
