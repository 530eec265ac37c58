import { AuditError } from '../../errors.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { Conditions } from '../../search/conditions.ts'
import { withLiteralActions } from '../../search/entries-query.ts'
import { readPage } from '../../search/page.ts'
import { QueryParameters } from '../../search/query-parameters.ts'
import type { WireEntry } from '../wire.ts'
import { readActivity } from './activity.ts'
import { readFailedLogins } from './failed-logins.ts'
import { InvalidRequest } from './invalid-request.ts'
import type { LogReader } from './log-reader.ts'
import { readOverview } from './overview.ts'
import type { ReadConnection } from './read-connection.ts'
import { listEntry, wholeEntry } from './wire-entry.ts'

/** Milliseconds for a page: then it is returned as it is. One statement may take twice as long. */
const timeForPage = 1_500

const [timeForEntry, timeForFacts] = [5_000, 2_000]

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Reads a log with its own SQL, written for the indexes of the log's table. */
export function sqlLogReader(connection: ReadConnection, table: TableName): LogReader {
  const facts = { table, connection: connection.within(timeForFacts) }

  async function estimate(): Promise<number> {
    const sql = 'SELECT reltuples FROM pg_catalog.pg_class WHERE oid = $1::text::regclass'
    const [found] = await facts.connection.query<{ reltuples: number }>(sql, quoteTable(table))
    return found?.reltuples ?? 0
  }

  return {
    async page(conditions, { limit, cursor }) {
      const source = { table, connection: connection.within(2 * timeForPage), columns: listEntry }
      const options = { limit, cursor, time: timeForPage }
      const { rows, nextCursor, stoppedAt } = await readPage<{ entry: WireEntry }>(
        source,
        'web page',
        conditions,
        options,
      ).catch(refuseCursor)
      return { entries: rows.map(({ entry }) => entry), nextCursor, stoppedAt }
    },

    async entry(id) {
      if (!uuid.test(id)) throw new InvalidRequest('The id of an entry is a UUID.')
      const parameters = new QueryParameters()
      const sql = `SELECT ${wholeEntry} FROM ${quoteTable(table)} WHERE id = ${parameters.add(id, 'uuid')}`
      const [found] = await connection
        .within(timeForEntry)
        .query<{ entry: WireEntry }>(sql, ...parameters.values)
      return found?.entry
    },

    activity: async (conditions, buckets) =>
      readActivity(connection, {
        ...{ table, buckets },
        conditions: await withLiteralActions(facts, conditions),
        estimate: await estimate(),
      }),

    overview: () => readOverview(connection, table),

    async failedLogins({ from, to }) {
      const logins: Conditions = { actions: ['*.login'], outcome: 'failure', from, to }
      return readFailedLogins(connection, table, await withLiteralActions(facts, logins))
    },
  }
}

function refuseCursor(error: unknown): never {
  const isCursor = error instanceof AuditError && error.code === 'AUDIT_INVALID_CURSOR'
  throw isCursor ? new InvalidRequest('"cursor" is not one from this page.') : error
}
