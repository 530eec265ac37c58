import { quoteIdentifier } from '../postgres/identifiers.ts'

interface ColumnFacts {
  /** PostgreSQL's type, as its catalog says it. */
  readonly type: string
  /** No privilege is needed on what the database fills in; a role that may write it could backdate an entry. */
  readonly filledBy: 'writer' | 'database'
  /** The only words that the column may have. */
  readonly words?: readonly string[]
}

/** The columns of the log's table in order: all other lists are made from this one. */
export const logColumns = {
  id: { type: 'uuid', filledBy: 'writer' },
  timestamp: { type: 'timestamp(6) with time zone', filledBy: 'database' },
  action: { type: 'character varying(100)', filledBy: 'writer' },
  actor_id: { type: 'character varying(255)', filledBy: 'writer' },
  actor_type: { type: 'character varying(50)', filledBy: 'writer', words: ['user', 'system', 'api_key'] },
  actor_email: { type: 'character varying(255)', filledBy: 'writer' },
  resource_type: { type: 'character varying(100)', filledBy: 'writer' },
  resource_id: { type: 'character varying(255)', filledBy: 'writer' },
  outcome: { type: 'character varying(20)', filledBy: 'writer', words: ['success', 'failure'] },
  reason: { type: 'text', filledBy: 'writer' },
  details: { type: 'jsonb', filledBy: 'writer' },
  request_id: { type: 'character varying(255)', filledBy: 'writer' },
  ip: { type: 'inet', filledBy: 'writer' },
  user_agent: { type: 'text', filledBy: 'writer' },
  organization_id: { type: 'character varying(255)', filledBy: 'writer' },
  seq: { type: 'bigint', filledBy: 'database' },
  transaction_id: { type: 'bigint', filledBy: 'database' },
} as const satisfies Record<string, ColumnFacts>

export type LogColumn = keyof typeof logColumns

/** The columns that an `INSERT` sets. */
export type WrittenColumn = {
  [Column in LogColumn]: (typeof logColumns)[Column]['filledBy'] extends 'writer' ? Column : never
}[LogColumn]

export const columnNames = Object.keys(logColumns) as readonly LogColumn[]

export const writtenColumns = columnNames.filter(
  (name): name is WrittenColumn => logColumns[name].filledBy === 'writer',
)

/** Columns that a text search looks at: not those with ids of entries, or with one of a few words. */
export const textColumns: readonly WrittenColumn[] = writtenColumns.filter(
  (name) => logColumns[name].type !== 'uuid' && !('words' in logColumns[name]),
)

/** How a column is read: an address without the prefix length that `inet` prints. */
export function readColumn(name: LogColumn): string {
  return name === 'ip' ? 'pg_catalog.host(ip)' : quoteIdentifier(name)
}
