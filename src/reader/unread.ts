import { internalTable } from '../log/internal-schema.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { transactionSql } from './reader-log.ts'

/**
 * What to select of consumers as `c` for {@link unreadInEra} and {@link unreadLater}: the place that each has done, and between which
 * numbers the entries of its era are.
 */
export function consumerPlace(table: TableName): string {
  const eras = internalTable(table, 'eras')
  return `c.name, c.transaction_id::text::pg_catalog.xid8 AS done, c.seq,
    (SELECT e.after_seq FROM ${eras} AS e WHERE e.log = c.log AND e.number = c.era) AS after_seq,
    (SELECT min(e.after_seq) FROM ${eras} AS e WHERE e.log = c.log AND e.number > c.era) AS last_seq`
}

/** Whether a consumer `c` has still to read an entry `l`, of the era that it is in. */
export const unreadInEra = `(${transactionSql}, l.seq) > (c.done, c.seq) AND l.seq > coalesce(c.after_seq, 0)
        AND (c.last_seq IS NULL OR l.seq <= c.last_seq)`

/** The same for an entry of a later era. */
export const unreadLater = 'l.seq > c.last_seq'
