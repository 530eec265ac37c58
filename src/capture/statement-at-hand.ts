import type { AdapterLike, Connection, SqlQuery, SqlResult } from '../postgres/connection.ts'
import type { Database } from './database.ts'
import type { Want } from './rewrite/audited-statement.ts'
import type { CaptureScope } from './scope.ts'

/** A statement on its way, and how to run it as it is. */
export interface StatementAtHand<T> {
  readonly query: SqlQuery
  readonly connection: Connection | AdapterLike
  readonly database: Database
  readonly scope: CaptureScope
  readonly want: Want
  /** Runs the query, or another in its place, as the caller wants it. */
  readonly run: (connection: Connection, query: SqlQuery) => Promise<T>
  readonly resultOf: (result: SqlResult) => T
}
