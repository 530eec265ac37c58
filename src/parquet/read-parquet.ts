import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type { ArchiveQuestion, EntryPlace, FoundRow, UnerasedQuestion } from '../archive-contract.ts'
import { columnNames, type LogColumn } from '../log/columns.ts'
import type { ExactRow } from '../sink.ts'
import { isoMicroseconds } from '../values/iso-timestamp.ts'
import { storedRow } from './columns.ts'
import { ParquetConditions } from './conditions.ts'
import { loadDuckdb } from './load-duckdb.ts'

/** All rows of files in the order of (transaction id, seq). */
export async function* readParquet(
  connection: DuckDBConnection,
  paths: readonly string[],
): AsyncGenerator<ExactRow[], void, void> {
  const { listValue } = await loadDuckdb()
  const sql = `SELECT ${storedRow} FROM read_parquet($1) AS l ORDER BY l.transaction_id, l.seq`
  const result = await connection.stream(sql, [listValue([...paths])])
  while (true) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) return
    yield chunk.getColumnValues(0).map((stored) => readRow(stored).row)
  }
}

/** The rows that a question asks for. */
export async function findInParquet(
  connection: DuckDBConnection,
  paths: readonly string[],
  { conditions, order, after, until, count, seqs, ids }: ArchiveQuestion,
): Promise<FoundRow[]> {
  if (paths.length === 0) return []
  const { listValue } = await loadDuckdb()
  const values: DuckDBValue[] = []
  const add = (value: DuckDBValue) => `$${values.push(value)}`
  const files = add(listValue([...paths]))
  const meets = new ParquetConditions(add)
  const isNewest = order === 'newest'
  const where = [
    meets.sql(conditions),
    ...(after ? [behind(after, isNewest ? '<' : '>', add)] : []),
    ...(seqs ? [`l.seq IN (SELECT unnest(${add(listValue([...seqs]))}::BIGINT[]))`] : []),
    ...(ids ? [inIds(ids, add, listValue)] : []),
    ...(until ? [behind(until, isNewest ? '>=' : '<=', add)] : []),
  ]
  const direction = isNewest ? 'DESC' : 'ASC'
  const result = await connection.runAndReadAll(
    `SELECT ${storedRow}, filename FROM read_parquet(${files}, filename = true) AS l WHERE ${where.join(' AND ')}
     ORDER BY l."timestamp" ${direction}, l.seq ${direction} ${count === undefined ? '' : `LIMIT ${Math.floor(count)}`}`,
    values,
  )
  return result.getRows().map(([stored, path]) => {
    const { row, microseconds } = readRow(stored)
    return { row, place: { microseconds, seq: BigInt(row.seq) }, path: String(path) }
  })
}

/** How many rows there are of a question that are not as an erasure has left them. */
export async function countUnerasedInParquet(
  connection: DuckDBConnection,
  paths: readonly string[],
  { conditions, ids }: UnerasedQuestion,
): Promise<number> {
  if (paths.length === 0) return 0
  const { listValue } = await loadDuckdb()
  const values: DuckDBValue[] = []
  const add = (value: DuckDBValue) => `$${values.push(value)}`
  const files = add(listValue([...paths]))
  const where = [
    new ParquetConditions(add).sql(conditions),
    "l.resource_type <> 'auditLog' AND json_extract_string(l.details, '$.erasure.entry') IS NULL",
    ...(ids ? [inIds(ids, add, listValue)] : []),
  ]
  const result = await connection.runAndReadAll(
    `SELECT count(DISTINCT l.id)::DOUBLE FROM read_parquet(${files}) AS l WHERE ${where.join(' AND ')}`,
    values,
  )
  return Number(result.getRows()[0]?.[0])
}

function inIds(
  ids: readonly string[],
  add: (value: DuckDBValue) => string,
  listValue: (items: readonly DuckDBValue[]) => DuckDBValue,
): string {
  return `l.id IN (SELECT unnest(${add(listValue([...ids]))}::VARCHAR[]))`
}

function behind(
  { microseconds, seq }: EntryPlace,
  comparison: '<' | '>' | '<=' | '>=',
  add: (value: DuckDBValue) => string,
): string {
  const time = `make_timestamptz(${add(microseconds)}::BIGINT)`
  const strict = comparison.charAt(0)
  // the first one is for the statistics of a file
  return `l."timestamp" ${strict}= ${time} AND (l."timestamp" ${strict} ${time} OR l.seq ${comparison} ${add(seq)}::BIGINT)`
}

const timeAt = columnNames.indexOf('timestamp')

/** A row as {@link storedRow} selects it. */
function readRow(stored: DuckDBValue | undefined): { row: ExactRow; microseconds: bigint } {
  const values = JSON.parse(stored as string) as (string | null)[]
  const microseconds = BigInt(values[timeAt] ?? '')
  values[timeAt] = timestampOf(microseconds)
  const row: Partial<Record<LogColumn, string | null | undefined>> = {}
  for (const [index, name] of columnNames.entries()) row[name] = values[index]
  return { row: row as ExactRow, microseconds }
}

/** What no four digits of a year can say comes back as a number, which is not what was written: it is found when reading back. */
function timestampOf(microseconds: bigint): string {
  const isInRange = microseconds >= -62_135_596_800_000_000n && microseconds < 253_402_300_800_000_000n
  return isInRange ? isoMicroseconds(microseconds) : String(microseconds)
}
