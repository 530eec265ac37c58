import type { ArchivedLog } from '../../log/archived-log.ts'
import { QueryParameters } from '../../log/query-parameters.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import { isTimeout } from '../../postgres/sql-state.ts'
import { whereSql } from '../../search/condition-sql.ts'
import type { Conditions } from '../../search/conditions.ts'
import type { ReadConnection } from './read-connection.ts'

const timeForChanges = 2_000

/** What an archive is asked for: of one transaction, these have a change among them if there is one. */
const mostArchived = 200

const verbs = ['create', 'update', 'delete', 'connect', 'disconnect', 'truncate']

/** What only a change writes, in its own transaction: audit_logs_write marks an event that has the verb of one. */
const isChange = `outcome = 'success' AND (action = 'raw.execute' OR action ~ '[.](${verbs.join('|')})$')
  AND details->>'operation' IS DISTINCT FROM 'logDataChange'`

/**
 * Whether a change of data is among the entries that meet the conditions, which name a transaction. The queue writes events,
 * reads and failures in transactions of its own, and never with a change: without one, nobody can say that entries of the
 * same transaction belong together.
 *
 * @returns false also when looking takes too long
 */
export async function hasChange(
  connection: ReadConnection,
  table: TableName,
  conditions: Conditions,
  archive?: ArchivedLog,
): Promise<boolean> {
  const parameters = new QueryParameters()
  const sql = `SELECT EXISTS (SELECT FROM ${quoteTable(table)}
    WHERE ${whereSql(conditions, {}, parameters)} AND ${isChange}) AS "found"`
  try {
    const [row] = await connection.within(timeForChanges).query<{ found: boolean }>(sql, ...parameters.values)
    return row?.found === true || (await hasArchivedChange(archive, conditions))
  } catch (error) {
    if (isTimeout(error)) return false
    throw error
  }
}

async function hasArchivedChange(archive: ArchivedLog | undefined, conditions: Conditions): Promise<boolean> {
  const { from, to } = conditions
  const answer = await archive?.find({
    conditions: {
      actions: [...verbs.map((verb) => `*.${verb}`), 'raw.execute'],
      ...{ outcome: 'success', from, to, within: conditions },
    },
    ...{ order: 'newest', count: mostArchived },
  })
  const operationOf = (details: string | null) =>
    (JSON.parse(details ?? 'null') as { operation?: unknown } | null)?.operation
  return answer?.entries.some(({ row }) => operationOf(row.details) !== 'logDataChange') === true
}
