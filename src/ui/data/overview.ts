import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import { distinctValues } from '../../search/entries-query.ts'
import type { WireOverview } from '../wire.ts'
import type { ReadConnection } from './read-connection.ts'

/** Nobody chooses from a list of more kinds than this. */
const [mostValues, newestForActors, newestOfAction, mostActors, timeForOverview] = [
  500, 2_000, 100, 50, 3_000,
]

/** The values to choose from. */
export async function readOverview(connection: ReadConnection, table: TableName): Promise<WireOverview> {
  const log = quoteTable(table)
  const { query } = connection.within(timeForOverview)
  const valuesOf = async (column: 'action' | 'resource_type') => {
    const rows = await query<{ value: string }>(
      `WITH RECURSIVE ${distinctValues('known', log, column)}
       SELECT ${column} AS value FROM known WHERE ${column} IS NOT NULL LIMIT ${mostValues}`,
    )
    return rows.map(({ value }) => value)
  }
  const [actions, resourceTypes, actors, about] = await Promise.all([
    valuesOf('action'),
    valuesOf('resource_type'),
    query<WireOverview['actors'][number]>(
      `WITH RECURSIVE ${distinctValues('known', log, 'action')}
       SELECT actor_id AS id, min(actor_type) AS type, min(actor_email) AS email
       FROM (
         SELECT l.* FROM (SELECT action FROM known WHERE action IS NOT NULL LIMIT ${mostValues}) AS a CROSS JOIN LATERAL (
           SELECT actor_id, actor_type, actor_email, "timestamp" FROM ${log} AS l WHERE l.action = a.action
           ORDER BY "timestamp" DESC LIMIT ${newestOfAction}
         ) AS l ORDER BY "timestamp" DESC LIMIT ${newestForActors}
       ) AS newest
       GROUP BY actor_id ORDER BY count(*) DESC, actor_id LIMIT ${mostActors}`,
    ),
    query<{ database: string; estimate: number }>(
      `SELECT current_database() AS database, greatest(sum(reltuples), 0) AS estimate
       FROM pg_catalog.pg_class WHERE oid = $1::text::regclass
         OR oid IN (SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = $1::text::regclass)`,
      log,
    ),
  ])
  const name = [table.schema, table.name].filter(Boolean).join('.')
  return {
    name: `${about[0]?.database} · ${name}`,
    estimate: about[0]?.estimate ?? 0,
    ...{ actions, resourceTypes, actors },
  }
}
