import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type { ArchiveQuestion, EntryPlace, FoundRow, UnerasedQuestion } from '../archive-contract.ts'
import { columnNames } from '../log/columns.ts'
import type { ExactRow } from '../sink.ts'
import { isoMicroseconds } from '../values/iso-timestamp.ts'
import { storedColumns, storedText } from './columns.ts'
import { ParquetConditions } from './conditions.ts'
import { loadDuckdb } from './load-duckdb.ts'

/** All rows of files in the order of (transaction id, seq). */
export async function* readParquet(
  connection: DuckDBConnection,
  paths: readonly string[],
): AsyncGenerator<ExactRow[], void, void> {
  const { listValue } = await loadDuckdb()
  const sql = `SELECT ${storedColumns} FROM read_parquet($1) AS l ORDER BY l.transaction_id, l.seq`
  const result = await connection.stream(sql, [listValue([...paths])])
  while (true) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) return
    yield chunk.getRows().map(exactRow)
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
    `SELECT ${storedColumns}, filename FROM read_parquet(${files}, filename = true) AS l WHERE ${where.join(' AND ')}
     ORDER BY l."timestamp" ${direction}, l.seq ${direction} ${count === undefined ? '' : `LIMIT ${Math.floor(count)}`}`,
    values,
  )
  return result.getRows().map((columns) => {
    const row = exactRow(columns)
    const place = { microseconds: BigInt(storedText(columns[timeAt]) ?? ''), seq: BigInt(row.seq) }
    return { row, place, path: String(columns.at(-1)) }
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

function exactRow(columns: readonly DuckDBValue[]): ExactRow {
  const row = Object.fromEntries(columnNames.map((name, index) => [name, storedText(columns[index])]))
  return { ...row, timestamp: timestampOf(storedText(columns[timeAt]) ?? '') } as unknown as ExactRow
}

/** What no four digits of a year can say comes back as a number, which is not what was written: it is found when reading back. */
function timestampOf(microseconds: string): string {
  const time = BigInt(microseconds)
  const isInRange = time >= -62_135_596_800_000_000n && time < 253_402_300_800_000_000n
  return isInRange ? isoMicroseconds(time) : microseconds
}
