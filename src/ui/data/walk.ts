import { Parameters } from './conditions.ts'
import type { WirePosition } from './cursor.ts'
import type { Filter } from './filter.ts'
import type { ReadConnection } from './read-connection.ts'

/** How candidates for a page are found in about the order of time. */
export interface Walk {
  /** Every candidate matches, so that a page needs no more than its own length. */
  readonly exact: boolean
  /** Gives the SQL of the newest candidates within `time`, the conditions on the time. */
  candidates(
    time: readonly string[],
    before: WirePosition | undefined,
    parameters: Parameters,
  ): (table: string, size: string) => string
}

/** A resource type with no more entries than this is read whole. */
const fewEntries = 5_000

/** Finds the index that leads to the entries of a filter. */
export async function chooseWalk(
  connection: ReadConnection,
  table: string,
  filter: Filter,
  actions: readonly string[],
): Promise<Walk> {
  const { from, to: _, ...parts } = filter
  const others = (...known: (keyof Filter)[]) =>
    Object.keys(parts).some((name) => !known.includes(name as keyof Filter))

  if (filter.resource !== undefined && filter.id !== undefined) {
    return byIndex({ resource_type: filter.resource, resource_id: filter.id }, !others('resource', 'id'))
  }
  if (filter.actor !== undefined) return byIndex({ actor_id: filter.actor }, !others('actor'))
  if (filter.action !== undefined) return byActions(actions, !others('action'))
  if (filter.organization !== undefined) {
    return byIndex({ organization_id: filter.organization }, !others('organization'))
  }
  if (filter.resource !== undefined && (await hasFew(connection, table, filter.resource))) {
    return byIndex({ resource_type: filter.resource }, !others('resource'))
  }
  return byId(!others(), from)
}

/** Along an index on some columns and the time. */
function byIndex(columns: Readonly<Record<string, string>>, exact: boolean): Walk {
  return {
    exact,
    candidates: (time, _, parameters) => {
      const equal = Object.entries(columns).map(
        ([name, value]) => `${name} = ${parameters.add(value, 'text')}`,
      )
      return (table, size) =>
        `SELECT "timestamp" FROM ${table} WHERE ${[...equal, ...time].join(' AND ')}
         ORDER BY "timestamp" DESC LIMIT ${size}`
    },
  }
}

/** Along the index on action and time, once for each action: one walk over several would have to sort them all. */
function byActions(actions: readonly string[], exact: boolean): Walk {
  return {
    exact,
    candidates: (time, _, parameters) => {
      const values = actions.map((action) => `(${parameters.add(action, 'varchar')})`).join(', ')
      return (table, size) =>
        `SELECT "timestamp" FROM (VALUES ${values}) AS "wanted" ("name") CROSS JOIN LATERAL (
           SELECT "timestamp" FROM ${table} WHERE ${['action = "wanted"."name"', ...time].join(' AND ')}
           ORDER BY "timestamp" DESC LIMIT ${size}
         ) AS "found" ORDER BY "timestamp" DESC LIMIT ${size}`
    },
  }
}

/**
 * Along the primary key, whose UUIDs of version 7 begin with the time. Clocks that differ only make a window larger:
 * any entries within `time` give a lower end that is right, and too few of them none.
 */
function byId(exact: boolean, from: string | undefined): Walk {
  return {
    exact,
    candidates: (time, before, parameters) => {
      const id = (milliseconds: number) => parameters.add(firstId(milliseconds), 'uuid')
      const range = [
        ...(before ? [`id < ${id(Date.parse(before.timestamp) + 1)}`] : []),
        ...(from === undefined ? [] : [`id >= ${id(Date.parse(from) - hour)}`]),
      ]
      return (table, size) =>
        `SELECT "timestamp" FROM ${table} WHERE ${[...range, ...time].join(' AND ') || 'true'}
         ORDER BY id DESC LIMIT ${size}`
    },
  }
}

const hour = 3_600_000

/** Not above any UUIDv7 that was made in a millisecond or later. */
function firstId(milliseconds: number): string {
  const hex = Math.max(milliseconds, 0).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

async function hasFew(connection: ReadConnection, table: string, resource: string): Promise<boolean> {
  const parameters = new Parameters()
  const sql = `SELECT count(*) FROM (SELECT FROM ${table} WHERE resource_type = ${parameters.add(resource, 'text')}
    LIMIT ${fewEntries + 1}) AS "some"`
  const [count] = await connection.read<number>(sql, parameters.values, 2_000)
  return (count ?? 0) <= fewEntries
}
