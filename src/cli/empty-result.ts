import type { ReadableLog } from '../log/log.ts'
import { readRetiredUntil } from '../log/retired.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import { distinctValues, timeSpanSql } from '../search/entries-query.ts'
import type { SearchFilter } from '../search/filter.ts'
import { isoInstant } from '../values/iso-timestamp.ts'

/** What to say where no entry was found: what the log has instead. By indexes, however large it is. */
export async function describeEmpty(log: Omit<ReadableLog, 'models'>, filter: SearchFilter): Promise<string> {
  const inTable = await describeTable(log, filter)
  const until = await readRetiredUntil(log.connection, log.options.table)
  if (until === null) return inTable
  const older = log.archive
    ? 'which was asked, too'
    : 'which was not asked: audit.config.ts has no option retention'
  return `${inTable} That is its table, with all entries since ${until.slice(0, 7)}; older ones are in the archive, ${older}.`
}

async function describeTable(
  log: Omit<ReadableLog, 'models'>,
  { resource, ...others }: SearchFilter,
): Promise<string> {
  const table = quoteTable(log.options.table)
  const { type, id } = typeof resource === 'object' ? resource : { type: resource, id: undefined }
  const resources = await log.connection.query<{ type: string }>(
    `WITH RECURSIVE ${distinctValues('existing', table, 'resource_type')}
     SELECT resource_type AS type FROM existing WHERE resource_type IS NOT NULL`,
  )
  if (resources.length === 0) return `The audit log ${table} has no entries.`
  if (type !== undefined && !resources.some((one) => one.type === type)) {
    return `No entry is about ${type}. The log has entries about ${resources.map((one) => one.type).join(', ')}.`
  }
  const isOfRecord = id !== undefined && Object.values(others).every((value) => value === undefined)
  if (isOfRecord) {
    const [other] = await log.connection.query<{ id: string }>(
      `SELECT resource_id AS id FROM ${table} WHERE resource_type = $1 AND resource_id IS NOT NULL ORDER BY resource_id LIMIT 1`,
      type,
    )
    const rest = other ? `of other ids, such as ${JSON.stringify(other.id)}` : 'without an id'
    return `No entry is about ${type} ${JSON.stringify(id)}. The log has entries about ${type} ${rest}.`
  }
  const [span] = await log.connection.query<{ first: string; last: string }>(
    `SELECT ${isoInstant('"first"')} AS "first", ${isoInstant('"last"')} AS "last" FROM (${timeSpanSql(table)}) AS "span"`,
  )
  return `No entry meets the filter. The log has entries from ${span?.first} to ${span?.last}.`
}
