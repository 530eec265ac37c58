import { quoteIdentifier } from '../postgres/identifiers.ts'

interface ColumnFacts {
  /** PostgreSQL's type, as its catalog says it. */
  readonly type: string
  /** What the database fills in needs no privilege; a role that may write it could backdate an entry. */
  readonly filledBy: 'writer' | 'database'
  /** The only words that stand in the column. */
  readonly words?: readonly string[]
}

/** The columns of the log's table in their order: the one list that all others are made from. */
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

/** The columns that an `INSERT` gives. */
export type WrittenColumn = {
  [Column in LogColumn]: (typeof logColumns)[Column]['filledBy'] extends 'writer' ? Column : never
}[LogColumn]

export const columnNames = Object.keys(logColumns) as readonly LogColumn[]

export const writtenColumns = columnNames.filter(
  (name): name is WrittenColumn => logColumns[name].filledBy === 'writer',
)

/** Columns in which people look for a text: neither ids of entries, nor one of a few words. */
export const textColumns: readonly WrittenColumn[] = writtenColumns.filter(
  (name) => logColumns[name].type !== 'uuid' && !('words' in logColumns[name]),
)

/** A column as it is read: an address without the prefix length that `inet` prints. */
export function readColumn(name: LogColumn): string {
  return name === 'ip' ? 'pg_catalog.host(ip)' : quoteIdentifier(name)
}
