import { type WrittenColumn, writtenColumns } from '../../log/columns.ts'
import { own, quoteIdentifier, quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { EntryParameters } from './entry-parameters.ts'

/** A query that returns entries, as expressions over the rows of a FROM clause. */
export interface EntryQuery {
  readonly action: string
  readonly resourceType: string
  readonly resourceId: string
  readonly details: string
  /** What follows FROM, with its WHERE clause; without it, the query returns one entry. */
  readonly from?: string
}

/** One entry, if a condition holds. */
export function where(condition: string, query: EntryQuery): EntryQuery {
  return { ...query, from: `(SELECT) AS ${own('one')} WHERE ${condition}` }
}

/**
 * The `INSERT` of entries. `timestamp`, `seq` and `transaction_id` come from the table's defaults, so a role needs no
 * privilege to set them.
 *
 * @param queries return the entries in order
 */
export function logInsert(log: TableName, queries: readonly EntryQuery[], entry: EntryParameters): string {
  const [only] = queries
  // one subquery fewer to plan when there is only one query
  const query = queries.length === 1 && only ? only : union(queries)
  const values: Record<WrittenColumn, string> = {
    id: idOf(entry),
    action: query.action,
    actor_id: entry.value('actorId'),
    actor_type: entry.value('actorType'),
    actor_email: entry.value('actorEmail'),
    resource_type: query.resourceType,
    resource_id: query.resourceId,
    outcome: `'success'`,
    reason: entry.value('reason'),
    details: query.details,
    request_id: entry.value('requestId'),
    ip: entry.reference('ip'),
    user_agent: entry.value('userAgent'),
    organization_id: entry.value('organizationId'),
  }
  const columns = writtenColumns.map(quoteIdentifier).join(', ')
  return [
    `INSERT INTO ${quoteTable(log)} (${columns})`,
    `SELECT ${writtenColumns.map((name) => values[name]).join(', ')}`,
    ...(query.from === undefined ? [] : [`FROM ${query.from}`]),
  ].join('\n  ')
}

/**
 * A UUIDv7 for each entry. The server's own function (PostgreSQL 18) costs a random number for each row, our counter a
 * window function, 40 µs per statement to plan and run. So the former is for a few rows, the latter for many.
 */
function idOf(entry: EntryParameters): string {
  if (entry.serverMakesIds) return 'pg_catalog.uuidv7()'
  const ordinal = `pg_catalog.to_hex(${entry.reference('idCounter')} + pg_catalog.row_number() OVER ())`
  return `(${entry.reference('idPrefix')} || pg_catalog.lpad(${ordinal}, 8, '0'))::pg_catalog.uuid`
}

function union(queries: readonly EntryQuery[]): EntryQuery {
  const selects = queries.map(
    ({ action, resourceType, resourceId, details, from }) =>
      `SELECT ${action}, ${resourceType}, ${resourceId}, ${details}${from === undefined ? '' : ` FROM ${from}`}`,
  )
  return {
    action: 'e.action',
    resourceType: 'e.resource_type',
    resourceId: 'e.resource_id',
    details: 'e.details',
    from: `(${selects.join('\nUNION ALL ')}) AS e(action, resource_type, resource_id, details)`,
  }
}
