import type { Log } from '../log/log.ts'
import { unansweredQuestion } from '../log/readable.ts'
import type { StoredField, StoredModel } from '../models/stored-models.ts'
import { columnOf, quoteIdentifier, quoteTable } from '../postgres/identifiers.ts'
import { sqlStateOf } from '../postgres/sql-state.ts'
import { canBeKey, keyCondition } from '../values/key-condition.ts'
import type { LoggedRow } from '../values/revive.ts'
import { jsonValue } from '../values/sql-json.ts'

/**
 * A record as it is now, in the JSON form of entries. It is not read through the client, so no read is recorded.
 *
 * @param key the texts of its key, from which `resource_id` is made
 * @param lock keep others from changing it until the transaction ends
 */
export async function currentRow(
  log: Log,
  model: StoredModel,
  key: readonly string[],
  lock = false,
): Promise<LoggedRow | undefined> {
  if (!model.key.every((field, index) => canBeKey(field, key[index] ?? ''))) return undefined
  const row = quoteIdentifier('__audit_current')
  const reference = (field: StoredField) => columnOf(row, { name: field.column })
  const fields = model.scalars.map(
    (field) => `${jsonValue(field.columnType, reference(field))} AS ${quoteIdentifier(field.name)}`,
  )
  const conditions = model.key.map((field, index) => keyCondition(field, reference(field), index + 1))
  const [found] = await log.connection
    .query<{ row: LoggedRow }>(
      `SELECT pg_catalog.to_jsonb(r) AS "row" FROM (
       SELECT ${fields.join(', ')} FROM ${quoteTable(model.location)} AS ${row}
       WHERE ${conditions.join(' AND ')}${lock ? ` FOR UPDATE OF ${row}` : ''}
     ) AS r`,
      ...key,
    )
    .catch((error: unknown) => {
      // what the server refuses is about the application's own table
      throw sqlStateOf(error) === undefined ? unansweredQuestion(error, log.options.table) : error
    })
  return found?.row
}
