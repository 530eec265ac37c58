import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { WireEntry } from '../wire.ts'
import { readActivity } from './activity.ts'
import { actionPattern, Parameters } from './conditions.ts'
import { readCursor } from './cursor.ts'
import { wholeEntry } from './entry-json.ts'
import { readFailedLogins } from './failed-logins.ts'
import type { Filter } from './filter.ts'
import { InvalidRequest } from './invalid-request.ts'
import type { LogReader } from './log-reader.ts'
import { distinctValues, readOverview } from './overview.ts'
import { readWirePage } from './page.ts'
import type { ReadConnection } from './read-connection.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Reads a log by SQL of its own, written for the indexes of the log's table. */
export function sqlLogReader(connection: ReadConnection, name: TableName): LogReader {
  const table = quoteTable(name)

  /** The actions that a pattern stands for; an action without a star stands for itself. */
  async function actionsOf({ action }: Filter): Promise<string[]> {
    if (action === undefined) return []
    if (!action.includes('*')) return [action]
    const pattern = actionPattern(action)
    return (await distinctValues(connection, table, 'action')).filter((known) => pattern.test(known))
  }

  async function estimate(): Promise<number> {
    const sql = 'SELECT to_json(reltuples) FROM pg_catalog.pg_class WHERE oid = $1::text::regclass'
    const [rows] = await connection.read<number>(sql, [table], 2_000)
    return rows ?? 0
  }

  return {
    page: async (filter, { limit, cursor }) =>
      readWirePage(connection, {
        ...{ table, filter, limit },
        actions: await actionsOf(filter),
        after: cursor === undefined ? undefined : readCursor(cursor),
      }),

    async entry(id) {
      if (!uuid.test(id)) throw new InvalidRequest('The id of an entry is a UUID.')
      const parameters = new Parameters()
      const sql = `SELECT ${wholeEntry} FROM ${table} WHERE id = ${parameters.add(id, 'uuid')}`
      const [entry] = await connection.read<WireEntry>(sql, parameters.values, 5_000)
      return entry
    },

    activity: async (filter, buckets) =>
      readActivity(connection, {
        ...{ table, filter, buckets },
        actions: await actionsOf(filter),
        estimate: await estimate(),
      }),

    overview: () =>
      readOverview(connection, table, { name: [name.schema, name.name].filter(Boolean).join('.') }),

    failedLogins: async (filter) =>
      readFailedLogins(connection, table, filter, await actionsOf({ action: '*.login' })),
  }
}
