import type { AdapterLike, Connection, SqlQuery, SqlResult } from '../postgres/connection.ts'
import type { Database } from './database.ts'
import type { Want } from './rewrite/audited-statement.ts'
import type { CaptureScope } from './scope.ts'

/** The statement being run, and how to run it unchanged. */
export interface StatementAtHand<T> {
  readonly query: SqlQuery
  readonly connection: Connection | AdapterLike
  readonly database: Database
  readonly scope: CaptureScope
  readonly want: Want
  /** Runs the query, or another in its place, the way the caller wants. */
  readonly run: (connection: Connection, query: SqlQuery) => Promise<T>
  readonly resultOf: (result: SqlResult) => T
}
