import { quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { MigrationHistory, TableHistory } from './migration-history.ts'
import { unwatchSql, watchSql } from './watch-sql.ts'
import type { WatchedTable, WatchOptions } from './watched-tables.ts'

/** One line that a migration has to have, so that triggers record what the schema and the options say. */
export interface TriggerChange {
  readonly table: Required<TableName>
  readonly action: 'watch' | 'unwatch'
  /** Whether nothing has recorded the table so far. */
  readonly isNew: boolean
  /** Why, in words. */
  readonly reason: string
  readonly sql: string
}

/** What the triggers of earlier migrations lack, and the tables that none of them creates. */
export interface TriggerChanges {
  readonly changes: readonly TriggerChange[]
  readonly withoutTable: readonly WatchedTable[]
}

/**
 * Compares what the schema and the options say now with the triggers that a project's migrations have made.
 *
 * @param isOurs whether a migration was written by the command line. A table without a model that somebody else has
 *   recorded stays so
 * @param isOrigin whether new and changed triggers stay silent where a database receives logical replication. A table
 *   keeps what it has; a new one gets what all others have
 */
export function triggerChanges(
  wanted: readonly WatchedTable[],
  history: MigrationHistory,
  log: TableName,
  { isOurs, isOrigin }: { isOurs: (migration: string) => boolean; isOrigin: boolean },
): TriggerChanges {
  const watched = history.tables.filter(({ watch }) => watch !== undefined)
  const allOrigin = watched.length > 0 && watched.every(hasOrigin)
  const withOrigin = (one: WatchedTable): WatchedTable => {
    const known = history.of(one.table)
    const origin = isOrigin || (known?.watch ? hasOrigin(known) : allOrigin)
    return origin ? { ...one, options: { ...one.options, origin } } : one
  }
  const names = new Set(wanted.map(({ table }) => quoteTable(table)))
  const ended = watched.filter(
    ({ table, watch }) => !names.has(quoteTable(table)) && isOurs(watch?.migration ?? ''),
  )
  const present = wanted.map(withOrigin).filter(({ table }) => history.of(table) !== undefined)
  return {
    withoutTable: wanted.filter(({ table }) => history.of(table) === undefined),
    changes: [
      ...ended.map(({ table }) => ({
        ...{ table, action: 'unwatch' as const, isNew: false, sql: unwatchSql(log, table) },
        reason: 'no longer recorded: its model is gone, or the options leave it out',
      })),
      ...present.flatMap((one) => {
        const known = history.of(one.table) as TableHistory
        const reason = reasonToWatch(one, known)
        if (reason === undefined) return []
        const isNew = known.watch === undefined
        return [{ table: one.table, action: 'watch' as const, isNew, reason, sql: watchSql(log, one) }]
      }),
    ],
  }
}

function reasonToWatch({ resource, options }: WatchedTable, history: TableHistory): string | undefined {
  const { watch, outdatedBy } = history
  if (!watch) return 'not recorded yet'
  if (watch.resource !== resource) return `called ${watch.resource} so far, now ${resource}`
  if (canonical(watchOptionsOf(watch.options)) !== canonical(options)) return 'its options changed'
  return outdatedBy.size > 0 ? `changed by ${[...outdatedBy].join(', ')}` : undefined
}

/** The tables with `origin` where the last line about them has it. */
export function withRecordedOrigin(
  wanted: readonly WatchedTable[],
  history: MigrationHistory,
): WatchedTable[] {
  return wanted.map((one) => {
    const known = history.of(one.table)
    return known && hasOrigin(known) ? { ...one, options: { ...one.options, origin: true } } : one
  })
}

function hasOrigin({ watch }: TableHistory): boolean {
  return watchOptionsOf(watch?.options ?? '{}').origin === true
}

/** Options that somebody wrote by hand may be no JSON; they are others than ours then. */
function watchOptionsOf(text: string): WatchOptions {
  try {
    return JSON.parse(text) as WatchOptions
  } catch {
    return { fields: { [text]: text } }
  }
}

/** The same text for the same options: keys in the order of the alphabet, and lists, whose order says nothing, too. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value.toSorted())
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{${keys.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`
}
