import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { ParquetEngine } from '../archive-contract.ts'
import { loadDuckdb } from './load-duckdb.ts'
import { findInParquet, readParquet } from './read-parquet.ts'
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
  async find(paths, question) {
    const connection = await connect()
    try {
      return await findInParquet(connection, paths, question)
    } finally {
      connection.closeSync()
    }
  },
}
