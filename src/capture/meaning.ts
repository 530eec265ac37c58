import type { Connection } from '../postgres/connection.ts'
import { queryOf } from '../postgres/connection.ts'
import { quoteIdentifier } from '../postgres/identifiers.ts'
import { runOutsideScope } from './scope.ts'

/** What a table's name without a schema means to a session. */
export interface Meaning {
  /** 0 if there is no such table. */
  readonly oid: number
  readonly isTemporary: boolean
}

/** Asks the session of a statement what a name means there: `search_path` and temporary tables decide. */
export async function meaningOf(name: string, connection: Connection): Promise<Meaning> {
  const { rows } = await runOutsideScope(() =>
    connection.queryRaw(
      queryOf(
        `SELECT c.oid::text, c.relpersistence = 't' FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1::text)`,
        [quoteIdentifier(name)],
      ),
    ),
  )
  const [row] = rows
  return { oid: Number(row?.[0] ?? 0), isTemporary: row?.[1] === true }
}
