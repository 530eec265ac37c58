import type { WireOverview } from '../wire.ts'
import type { ReadConnection } from './read-connection.ts'

/** More kinds than this nobody chooses from a list. */
const [mostValues, newestForActors, mostActors, timeForOverview] = [500, 2_000, 50, 3_000]

/** What there is to choose from. */
export async function readOverview(
  connection: ReadConnection,
  table: string,
  quoted: { readonly name: string },
): Promise<WireOverview> {
  const [actions, resourceTypes, actors, about] = await Promise.all([
    distinctValues(connection, table, 'action'),
    distinctValues(connection, table, 'resource_type'),
    connection.read<WireOverview['actors'][number]>(
      `SELECT json_build_object('id', actor_id, 'type', min(actor_type), 'email', min(actor_email))
       FROM (SELECT actor_id, actor_type, actor_email FROM ${table} ORDER BY id DESC LIMIT ${newestForActors}) AS "newest"
       GROUP BY actor_id ORDER BY count(*) DESC, actor_id LIMIT ${mostActors}`,
      [],
      timeForOverview,
    ),
    connection.read<{ database: string; estimate: number }>(
      `SELECT json_build_object('database', current_database(), 'estimate', greatest(sum(reltuples), 0))
       FROM pg_catalog.pg_class WHERE oid = $1::text::regclass
         OR oid IN (SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = $1::text::regclass)`,
      [table],
      timeForOverview,
    ),
  ])
  return {
    name: `${about[0]?.database} · ${quoted.name}`,
    estimate: about[0]?.estimate ?? 0,
    actions,
    resourceTypes,
    actors,
  }
}

/** Different values of an indexed column, by jumps along the index from one to the next. */
export function distinctValues(
  connection: ReadConnection,
  table: string,
  column: 'action' | 'resource_type',
): Promise<string[]> {
  const sql = `SELECT to_json("value") FROM (
      WITH RECURSIVE "known" ("value") AS (
        (SELECT ${column} FROM ${table} ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT (SELECT ${column} FROM ${table} WHERE ${column} > "known"."value" ORDER BY 1 LIMIT 1)
        FROM "known" WHERE "known"."value" IS NOT NULL
      )
      SELECT "value" FROM "known" WHERE "value" IS NOT NULL LIMIT ${mostValues}
    ) AS "values"`
  return connection.read<string>(sql, [], timeForOverview)
}
