import { QueryParameters } from '../../log/query-parameters.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import { whereSql } from '../../search/condition-sql.ts'
import type { Conditions } from '../../search/conditions.ts'
import { isoInstant } from '../../values/iso-timestamp.ts'
import type { WireLogins } from '../wire.ts'
import type { ReadConnection } from './read-connection.ts'

const [mostCounted, mostGroups, timeForLogins] = [10_000, 12, 3_000]

/** Groups the failed logins of a time span by who and from where. */
export async function readFailedLogins(
  connection: ReadConnection,
  table: TableName,
  conditions: Conditions,
): Promise<WireLogins> {
  if (conditions.actions?.length === 0) return { counted: 0, complete: true, actors: [], addresses: [] }
  const parameters = new QueryParameters()
  const groups = (key: string, other: string) =>
    `(SELECT coalesce(json_agg("group"), '[]') FROM (
       SELECT ${key} AS "key", count(*) AS "count", count(DISTINCT ${other}) AS "others",
         ${isoInstant('max("timestamp")')} AS "newest"
       FROM "failed" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${mostGroups}) AS "group")`
  const sql = `WITH "failed" AS (
      SELECT actor_id, pg_catalog.host(ip) AS address, "timestamp" FROM ${quoteTable(table)}
      WHERE ${whereSql(conditions, {}, parameters)} ORDER BY "timestamp" DESC LIMIT ${mostCounted + 1}
    )
    SELECT (SELECT least(count(*), ${mostCounted}) FROM "failed") AS "counted",
      (SELECT count(*) <= ${mostCounted} FROM "failed") AS "complete",
      ${groups('actor_id', 'address')} AS "actors", ${groups('address', 'actor_id')} AS "addresses"`
  const [logins] = await connection.within(timeForLogins).query<WireLogins>(sql, ...parameters.values)
  return logins as WireLogins
}
