import { parseTableName, quoteTable, type TableName } from './identifiers.ts'

/** How triggers record a table, as `audit_logs_watch` set it up. */
export interface Watch {
  /** The table's name among the settings of a session. */
  readonly key: string
  /** Changes to its rows are recorded, whoever makes them. */
  readonly isRecording: boolean
  /** The oid of one of the triggers that do; audit_logs_watch and audit_logs_unwatch remove them all at once. */
  readonly rowTrigger: number | null
  /** Some of the triggers that record its rows are missing or disabled: of these changes nobody knows who records them. */
  readonly isIncomplete: boolean
  /** What the trigger before each statement notes, for `audit_logs_context` to compare; empty without one. */
  readonly fingerprint: string
  /** How it is recorded; undefined when the table itself is not, or when it is no longer known. */
  readonly definition: WatchDefinition | undefined
  /** The table was changed since, so the triggers have to look its columns up. */
  readonly isOutdated: boolean
  /**
   * They record the table once a statement, and since they were made it has got a trigger of somebody else's for each row:
   * what that one changes is recorded before what set it off.
   */
  readonly isOvertaken: boolean
}

export interface WatchDefinition {
  readonly resource: string
  readonly snapshot: 'full' | 'changed'
  /** Columns by number. */
  readonly redact: readonly number[]
  readonly ignore: readonly number[]
  /** How many columns the table had, including dropped ones: those with a higher number were added since. */
  readonly columns: number
  /** Stands for the names and types of the columns that the triggers spell out. */
  readonly shape: string
  /** How many triggers record its rows. */
  readonly triggers: number
  /** The quoted table of the log. */
  readonly log: string
}

/** Whether triggers write to this log, however its name is quoted there. */
export function writesTo({ log }: Pick<WatchDefinition, 'log'>, table: Required<TableName>): boolean {
  return quoteTable(parseTableName(log)) === quoteTable(table)
}

/** What the catalog query returns for a table. */
export interface RawWatch {
  key: string
  /** As {@link WatchDefinition.shape}, of the table as it is now. */
  shape: string | null
  /** How many triggers that record its rows fire in this session. */
  triggers: number
  /** As {@link Watch.rowTrigger}. */
  rowTrigger: number | null
  /** The argument of the trigger before each statement. */
  noted: string | null
  /** What stands in its place for the tables below, where somebody disabled the triggers of this one. */
  reach: string | null
  /** @see overtakenSql */
  overtaken: boolean
}

/**
 * The condition of {@link Watch.isOvertaken}: a trigger of ours has transition tables, and one of somebody else's fires
 * after, for each row. It is what `audit_logs_watch` asks, in prisma/functions/events_by_statement.sql, by functions that not every
 * role may execute.
 *
 * @param relation the SQL of a table's oid
 */
export function overtakenSql(relation: string): string {
  return `EXISTS (
    SELECT FROM pg_catalog.pg_trigger o JOIN pg_catalog.pg_proc f ON f.oid = o.tgfoid
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = o.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE o.tgrelid = ${relation} AND o.tgname LIKE '%!audit\\_logs\\_row%' AND NOT o.tgisinternal
      AND (o.tgnewtable IS NOT NULL OR o.tgoldtable IS NOT NULL)
      -- tgtype: 1 row, 2 before, 64 instead of
      AND NOT t.tgisinternal AND t.tgtype::int & 67 = 1 AND p.pronamespace <> f.pronamespace)`
}

/** @see prisma/functions/statement_begins.sql for the parts of the argument */
export function watchOf({ key, shape, triggers, rowTrigger, noted, reach, overtaken }: RawWatch): Watch {
  const [, fingerprint = '', resource = '', ...rest] = noted?.split(' ') ?? []
  const options = rest.join(' ')
  const definition: WatchDefinition | undefined =
    options === '' ? undefined : { ...(JSON.parse(options) as Omit<WatchDefinition, 'resource'>), resource }
  return {
    key,
    isRecording: triggers > 0,
    rowTrigger,
    isIncomplete: definition !== undefined && triggers > 0 && triggers < definition.triggers,
    fingerprint: `${fingerprint}${reach ?? ''}`,
    definition,
    isOutdated: definition !== undefined && definition.shape !== shape,
    isOvertaken: overtaken,
  }
}
