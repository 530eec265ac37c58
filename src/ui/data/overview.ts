import { spanSql, spansOf } from '../../log/log-spans.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { Conditions } from '../../search/conditions.ts'
import { distinctValues } from '../../search/entries-query.ts'
import { findEntries } from '../../search/find-entries.ts'
import type { WireOverview } from '../wire.ts'
import { hasSinks } from './delivery.ts'
import { hasSeals } from './integrity.ts'
import type { ReadConnection } from './read-connection.ts'

/** Nobody chooses from a list of more kinds than this. */
const [mostValues, newestForActors, newestOfAction, mostActors, timeForOverview] = [
  500, 2_000, 100, 50, 3_000,
]

/** In how many spans of a partitioned log values are looked for, if there are any: two months, and twelve more. */
const spansWithValues = 2

/** The values to choose from. */
export async function readOverview(connection: ReadConnection, table: TableName): Promise<WireOverview> {
  const log = quoteTable(table)
  const facts = connection.within(timeForOverview)
  const { query } = facts
  const spans = await spansOf(table, facts)
  const valuesOf = async (column: 'action' | 'resource_type') => {
    const values = new Set<string>()
    for (const [index, span] of spans.entries()) {
      if (index >= spansWithValues && values.size > 0) break
      const rows = await query<{ value: string }>(
        `WITH RECURSIVE ${distinctValues('known', spanSql(table, span), column)}
         SELECT ${column} AS value FROM known WHERE ${column} IS NOT NULL LIMIT ${mostValues}`,
      )
      for (const { value } of rows) values.add(value)
    }
    return [...values].sort().slice(0, mostValues)
  }
  const newestActors = async () => {
    for (const span of spans) {
      const part = spanSql(table, span)
      const rows = await query<WireOverview['actors'][number]>(
        `WITH RECURSIVE ${distinctValues('known', part, 'action')}
       SELECT actor_id AS id, min(actor_type) AS type, min(actor_email) AS email
       FROM (
         SELECT l.* FROM (SELECT action FROM known WHERE action IS NOT NULL LIMIT ${mostValues}) AS a CROSS JOIN LATERAL (
           SELECT actor_id, actor_type, actor_email, "timestamp" FROM ${part} AS l WHERE l.action = a.action
           ORDER BY "timestamp" DESC LIMIT ${newestOfAction}
         ) AS l ORDER BY "timestamp" DESC LIMIT ${newestForActors}
       ) AS newest
       GROUP BY actor_id ORDER BY count(*) DESC, actor_id LIMIT ${mostActors}`,
      )
      if (rows.length > 0) return rows
    }
    return []
  }
  const [actions, resourceTypes, actors, about, sinks, seals] = await Promise.all([
    valuesOf('action'),
    valuesOf('resource_type'),
    newestActors(),
    query<{ database: string; estimate: number }>(
      `SELECT current_database() AS database, greatest(sum(reltuples), 0) AS estimate
       FROM pg_catalog.pg_class WHERE oid = $1::text::regclass
         OR oid IN (SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = $1::text::regclass)`,
      log,
    ),
    hasSinks(facts, table),
    hasSeals(facts, table),
  ])
  const name = [table.schema, table.name].filter(Boolean).join('.')
  return {
    name: `${about[0]?.database} · ${name}`,
    estimate: about[0]?.estimate ?? 0,
    ...{ actions, resourceTypes, actors, hasSinks: sinks, hasSeals: seals },
  }
}

/** The values to choose from among the newest entries that meet a filter; nothing of the log around them. */
export async function readFilteredOverview(
  connection: ReadConnection,
  table: TableName,
  fixed: Conditions,
): Promise<WireOverview> {
  interface Row {
    action: string
    type: string
    actor: WireOverview['actors'][number]
  }
  const source = {
    ...{ table, connection: connection.within(timeForOverview) },
    columns: `action, resource_type AS type, json_build_object('id', actor_id, 'type', actor_type, 'email', actor_email) AS actor`,
  }
  const { rows } = await findEntries<Row>(source, fixed, {
    count: newestForActors,
    time: timeForOverview / 2,
  })
  const sorted = (values: readonly string[]) => [...new Set(values)].sort().slice(0, mostValues)
  return {
    ...{ name: '', estimate: 0 },
    actions: sorted(rows.map(({ action }) => action)),
    resourceTypes: sorted(rows.map(({ type }) => type)),
    actors: [...new Map(rows.map(({ actor }) => [actor.id, actor])).values()].slice(0, mostActors),
  }
}
