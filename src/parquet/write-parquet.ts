import { join } from 'node:path'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type { ParquetFile } from '../archive-contract.ts'
import { quoteIdentifier, quoteLiteral } from '../postgres/identifiers.ts'
import { parquetColumns } from './columns.ts'
import { loadDuckdb } from './load-duckdb.ts'

/** Of the text of rows, in one file: about an eighth of it on disk. */
const bytesInFile = 256 * 1024 * 1024

const [fewest, most] = [20_480, 1_000_000]

/** How much DuckDB keeps in memory; the rest it puts beside the files. */
const memory = '512MB'

/**
 * Writes rows to files, in memory that does not grow with them: they are collected, sorted, and cut. The same
 * rows make the same files, by one version of DuckDB: with several threads they would differ.
 */
export async function writeParquet(
  lines: AsyncIterable<readonly string[]>,
  directory: string,
): Promise<ParquetFile[]> {
  const { DuckDBInstance } = await loadDuckdb()
  const instance = await DuckDBInstance.create(':memory:', {
    ...{ threads: '1', memory_limit: memory, temp_directory: join(directory, 'spilled') },
  })
  try {
    const connection = await instance.connect()
    await collect(connection, lines)
    await connection.run(sortedSql)
    const files: ParquetFile[] = []
    for (const part of await filePartsOf(connection)) files.push(await writePart(connection, directory, part))
    connection.closeSync()
    return files
  } finally {
    instance.closeSync()
  }
}

async function collect(connection: DuckDBConnection, lines: AsyncIterable<readonly string[]>): Promise<void> {
  await connection.run('CREATE TABLE lines (line VARCHAR)')
  const appender = await connection.createAppender('lines')
  for await (const some of lines) {
    // a chunk of rows would keep its memory until it is collected as garbage
    for (const line of some) {
      appender.appendVarchar(line)
      appender.endRow()
    }
    appender.flushSync()
  }
  appender.closeSync()
}

const typed = parquetColumns.map(({ name, type }, index) => {
  const text = `r[${index + 1}]`
  const value = { text, instant: `${text}::TIMESTAMPTZ`, integer: `${text}::BIGINT` }[type]
  return `${value} AS ${quoteIdentifier(name)}`
})

const timeIndex = parquetColumns.findIndex(({ type }) => type === 'instant') + 1

const sortedSql = `CREATE TABLE sorted AS
SELECT CASE WHEN regexp_matches(r[${timeIndex}], '^\\d{4}-\\d\\d-') THEN substring(r[${timeIndex}], 1, 7) ELSE 'other' END AS month,
  size, ${typed.join(', ')}
FROM (SELECT from_json(line, '["VARCHAR"]') AS r, strlen(line) AS size FROM lines)
ORDER BY month, resource_type, resource_id, "timestamp", seq`

interface FilePart {
  readonly month: string
  /** Of the sorted rows; the last one excluded. */
  readonly from: number
  readonly until: number
}

async function filePartsOf(connection: DuckDBConnection): Promise<FilePart[]> {
  const months = await connection.runAndReadAll(
    `SELECT month, min(rowid)::DOUBLE AS first, count(*)::DOUBLE AS entries, sum(size)::DOUBLE AS bytes
     FROM sorted GROUP BY month ORDER BY month`,
  )
  return months.getRowObjects().flatMap((found) => {
    const { month, first, entries, bytes } = found as { month: string } & Record<string, number>
    const [start, count] = [first as number, entries as number]
    const size = Math.floor(bytesInFile / ((bytes as number) / count))
    const step = Math.min(Math.max(size, fewest), most)
    return Array.from({ length: Math.ceil(count / step) }, (_, index) => ({
      month,
      from: start + index * step,
      until: Math.min(start + (index + 1) * step, start + count),
    }))
  })
}

async function writePart(
  connection: DuckDBConnection,
  directory: string,
  { month, from, until }: FilePart,
): Promise<ParquetFile> {
  const path = join(directory, `${from}.parquet`)
  const columns = parquetColumns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const rows = `FROM sorted WHERE rowid >= ${from} AND rowid < ${until}`
  await connection.run(
    `COPY (SELECT ${columns} ${rows}) TO ${quoteLiteral(path)}
     (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 20000)`,
  )
  const facts = await connection.runAndReadAll(
    `SELECT min(seq)::VARCHAR AS lowest, max(seq)::VARCHAR AS highest,
      min(epoch_us("timestamp"))::VARCHAR AS earliest, max(epoch_us("timestamp"))::VARCHAR AS latest ${rows}`,
  )
  const { lowest, highest, earliest, latest } = facts.getRowObjects()[0] as Record<string, DuckDBValue>
  return {
    ...{ path, month, entries: until - from },
    seq: { lowest: String(lowest), highest: String(highest) },
    time: { earliest: String(earliest), latest: String(latest) },
  }
}
