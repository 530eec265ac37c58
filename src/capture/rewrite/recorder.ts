import { type Catalog, findTable } from '../../postgres/catalog.ts'
import { quoteTable, type TableName } from '../../postgres/identifiers.ts'
import type { EntryParameters } from './entry-parameters.ts'
import type { RecordedUpdate, TrackedTable } from './tracked-table.ts'

/** The functions of the log's migration that a statement calls, as their names in SQL. */
export interface Recorder {
  /** Writes the entry of one row: `(resource, resource_id, before, after, changed, context)`. */
  readonly record: string
  /** A timestamp in the form of entries. */
  readonly iso: string
}

/**
 * How statements of this database can record a row by calling a function: on PostgreSQL 18, for `uuidv7()`, if the
 * migration made the functions, this role may execute them, and they write to this log.
 */
export function findRecorder(catalog: Catalog, log: TableName): Recorder | undefined {
  const table = findTable(catalog, log)
  if (!catalog.server.makesUuidv7 || !table) return undefined
  const { schema, name } = table
  const named = (suffix: string) =>
    catalog.logFunctions.find((one) => one.schema === schema && one.name === `${name}_${suffix}`)
  const [record, iso] = [named('record'), named('iso')]
  const writesHere = record?.source.includes(`INSERT INTO ${quoteTable({ schema, name })} (`)
  return record && iso && writesHere ? { record: quoteTable(record), iso: quoteTable(iso) } : undefined
}

/** The call that writes the entry of one row. */
export function recordCall(
  recorder: Recorder,
  tracked: TrackedTable,
  id: string,
  { before = 'NULL', after = 'NULL', changed = 'NULL' }: Partial<RecordedUpdate>,
  entry: EntryParameters,
): string {
  const values = [tracked.resourceLiteral, id, before, after, changed, entry.reference('context')]
  return `${recorder.record}(${values.join(', ')})`
}
