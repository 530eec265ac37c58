import { AuditError } from '../../errors.ts'
import type { ArchivedEntry, ArchivedLog } from '../../log/archived-log.ts'
import { toEntry } from '../../log/entry.ts'
import { spanSql, spansOfId } from '../../log/log-spans.ts'
import { QueryParameters } from '../../log/query-parameters.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import { whereSql } from '../../search/condition-sql.ts'
import { type Conditions, narrowed } from '../../search/conditions.ts'
import type { Position } from '../../search/cursor.ts'
import { type LogSource, withLiteralActions } from '../../search/entries-query.ts'
import { lastPosition } from '../../search/find-entries.ts'
import { findInBoth } from '../../search/find-in-both.ts'
import { readPage } from '../../search/page.ts'
import type { WireEntry } from '../wire.ts'
import { readActivity } from './activity.ts'
import {
  archivedJsonRow,
  archivedListEntry,
  archivedWireEntry,
  readLeftOut,
  withoutPlaces,
} from './archived-wire.ts'
import { hasChange } from './changes-beside.ts'
import { readDelivery } from './delivery.ts'
import { readFailedLogins } from './failed-logins.ts'
import { readIntegrity, readSeal } from './integrity.ts'
import { InvalidRequest } from './invalid-request.ts'
import type { LogReader } from './log-reader.ts'
import { readFilteredOverview, readOverview } from './overview.ts'
import type { ReadConnection } from './read-connection.ts'
import { type JsonEntryRow, jsonEntry, listEntry, rowOfJson, wholeEntry } from './wire-entry.ts'

/** Milliseconds for a page: then it is returned as it is. One statement may take twice as long. */
const timeForPage = 1_500

const [timeForEntry, timeForFacts, timeForDelivery, timeForSeals] = [5_000, 2_000, 5_000, 5_000]

/** Entries of an export that are held at a time. */
const exportedAtOnce = 500

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

interface ReaderOptions {
  /** What every entry meets that the reader gives or counts; undefined for the whole log. */
  readonly fixed?: Conditions | undefined
  /** What has left the table. It is listed and exported, and not counted. */
  readonly archive?: ArchivedLog | undefined
}

/** Reads a log with its own SQL, written for the indexes of the log's table, and its archive. */
export function sqlLogReader(
  connection: ReadConnection,
  table: TableName,
  { fixed, archive: whole }: ReaderOptions = {},
): LogReader {
  const narrow = (asked: Conditions) => (fixed ? narrowed(fixed, asked) : asked)
  const facts = { table, connection: connection.within(timeForFacts) }
  const archive = whole && (fixed ? withoutPlaces(whole) : whole)
  const leftOut = (asked: Conditions = {}) =>
    readLeftOut(facts.connection, table, archive !== undefined, narrow(asked))

  const sourceOf = (columns: string, toRow: (entry: ArchivedEntry) => object): LogSource => ({
    ...{ table, connection: connection.within(2 * timeForPage), columns },
    archive: archive && { log: archive, toRow },
  })

  async function estimate(): Promise<number> {
    const sql = `SELECT coalesce(sum(greatest(reltuples, 0)), 0) AS reltuples FROM pg_catalog.pg_class
      WHERE oid = $1::text::regclass OR oid IN (SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = $1::text::regclass)`
    const [found] = await facts.connection.query<{ reltuples: number }>(sql, quoteTable(table))
    return found?.reltuples ?? 0
  }

  async function findEntry(id: string): Promise<WireEntry | undefined> {
    if (!uuid.test(id)) throw new InvalidRequest('The id of an entry is a UUID.')
    const asking = connection.within(timeForEntry)
    for (const span of await spansOfId(table, asking, id)) {
      const parameters = new QueryParameters()
      const sql = `SELECT ${wholeEntry} FROM ${spanSql(table, span)} AS l
        WHERE id = ${parameters.add(id, 'uuid')} AND (${whereSql(narrow({}), {}, parameters)})`
      const [found] = await asking.query<{ entry: WireEntry }>(sql, ...parameters.values)
      if (found) return found.entry
    }
    const [archived] = (await archive?.byIds([id], narrow({}))) ?? []
    return archived && archivedWireEntry(archived)
  }

  return {
    async page(asked, { limit, cursor }) {
      const source = sourceOf(listEntry, archivedListEntry)
      const options = { limit, cursor, time: timeForPage }
      const { rows, nextCursor, stoppedAt } = await readPage<{ entry: WireEntry }>(
        source,
        'web page',
        narrow(asked),
        options,
      ).catch(refuseCursor)
      return { entries: rows.map(({ entry }) => entry), nextCursor, stoppedAt }
    },

    async *entries(asked) {
      const source = sourceOf(jsonEntry, archivedJsonRow)
      const conditions = narrow(asked)
      let before: Position | undefined
      do {
        const limits = { before, count: exportedAtOnce, time: timeForPage }
        const found = await findInBoth<JsonEntryRow>(source, conditions, limits)
        for (const row of found.rows) yield toEntry(rowOfJson(row))
        before =
          found.stoppedAt ?? (found.rows.length < exportedAtOnce ? undefined : lastPosition(found.rows))
      } while (before !== undefined)
    },

    async entry(id) {
      const found = await findEntry(id)
      if (found === undefined) return undefined
      const { timestamp, transactionId } = found
      const beside = narrow({ transactionId, ...dayAround(timestamp) })
      return { ...found, besideChange: await hasChange(connection, table, beside, archive) }
    },

    async seal(id) {
      const found = await findEntry(id)
      const log = { table, connection: connection.within(timeForSeals), archive }
      return found && readSeal(log, found.id, fixed !== undefined)
    },

    activity: async (asked, buckets) => ({
      ...(await readActivity(connection, {
        ...{ table, buckets },
        conditions: await withLiteralActions(facts, narrow(asked)),
        estimate: await estimate(),
      })),
      ...(await leftOut(asked)),
    }),

    overview: async () => ({
      ...(await (fixed ? readFilteredOverview(connection, table, fixed) : readOverview(connection, table))),
      ...(await leftOut()),
    }),

    async failedLogins({ from, to }) {
      const logins = narrow({ actions: ['*.login'], outcome: 'failure', from, to })
      const counted = await readFailedLogins(connection, table, await withLiteralActions(facts, logins))
      return { ...counted, ...(await leftOut({ from })) }
    },

    ...(!fixed && {
      delivery: () => readDelivery(connection.within(timeForDelivery), table),
      integrity: () => readIntegrity(connection.within(timeForSeals), table),
    }),
  }
}

/** Transactions are short, and old logs have no index of them. */
function dayAround(timestamp: string): Pick<Conditions, 'from' | 'to'> {
  const at = (days: number) => new Date(Date.parse(timestamp) + days * 86_400_000).toISOString()
  return { from: at(-0.5), to: at(0.5) }
}

function refuseCursor(error: unknown): never {
  const isCursor = error instanceof AuditError && error.code === 'AUDIT_INVALID_CURSOR'
  throw isCursor ? new InvalidRequest('"cursor" is not one from this page.') : error
}
