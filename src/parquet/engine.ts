import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { ParquetEngine } from '../archive-contract.ts'
import { loadDuckdb } from './load-duckdb.ts'
import { countUnerasedInParquet, findInParquet, readParquet } from './read-parquet.ts'
import { writeParquet } from './write-parquet.ts'

let shared: Promise<DuckDBInstance> | undefined

/** One for all questions of a process, in memory; it keeps nothing. */
function instance(): Promise<DuckDBInstance> {
  shared ??= loadDuckdb().then(({ DuckDBInstance }) =>
    DuckDBInstance.create(':memory:', { memory_limit: '1GB' }),
  )
  shared.catch(() => {
    shared = undefined
  })
  return shared
}

async function connect(): Promise<DuckDBConnection> {
  return (await instance()).connect()
}

async function connected<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await connect()
  try {
    return await work(connection)
  } finally {
    connection.closeSync()
  }
}

export const duckdbEngine: ParquetEngine = {
  write: writeParquet,
  async *rows(paths) {
    const connection = await connect()
    try {
      yield* readParquet(connection, paths)
    } finally {
      connection.closeSync()
    }
  },
  find: (paths, question) => connected((connection) => findInParquet(connection, paths, question)),
  countUnerased: (paths, question) =>
    connected((connection) => countUnerasedInParquet(connection, paths, question)),
}
