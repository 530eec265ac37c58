import { isoInstant } from '../../values/iso-timestamp.ts'
import type { WireLogins } from '../wire.ts'
import { Parameters } from './conditions.ts'
import type { Filter } from './filter.ts'
import type { ReadConnection } from './read-connection.ts'

const [mostCounted, mostGroups, timeForLogins] = [10_000, 12, 3_000]

/** Groups the failed logins of a time range by who and from where. */
export async function readFailedLogins(
  connection: ReadConnection,
  table: string,
  { from, to }: Filter,
  actions: readonly string[],
): Promise<WireLogins> {
  if (actions.length === 0) return { counted: 0, complete: true, actors: [], addresses: [] }
  const parameters = new Parameters()
  const where = [
    `action IN (${actions.map((action) => parameters.add(action, 'text')).join(', ')})`,
    `outcome = 'failure'`,
    ...(from === undefined ? [] : [`"timestamp" >= ${parameters.add(from, 'timestamptz')}`]),
    ...(to === undefined ? [] : [`"timestamp" < ${parameters.add(to, 'timestamptz')}`]),
  ]
  const groups = (key: string, other: string) =>
    `(SELECT coalesce(json_agg("group"), '[]') FROM (
       SELECT ${key} AS "key", count(*) AS "count", count(DISTINCT ${other}) AS "others",
         ${isoInstant('max("timestamp")')} AS "newest"
       FROM "failed" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${mostGroups}) AS "group")`
  const sql = `SELECT "found" FROM (
      WITH "failed" AS (
        SELECT actor_id, pg_catalog.host(ip) AS address, "timestamp" FROM ${table}
        WHERE ${where.join(' AND ')} ORDER BY "timestamp" DESC LIMIT ${mostCounted + 1}
      )
      SELECT json_build_object('counted', (SELECT least(count(*), ${mostCounted}) FROM "failed"),
        'complete', (SELECT count(*) <= ${mostCounted} FROM "failed"),
        'actors', ${groups('actor_id', 'address')}, 'addresses', ${groups('address', 'actor_id')}) AS "found"
    ) AS "logins"`
  const [logins] = await connection.read<WireLogins>(sql, parameters.values, timeForLogins)
  return logins as WireLogins
}
