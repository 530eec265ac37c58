import { own } from '../../postgres/identifiers.ts'
import type { DeleteStatement } from '../parse/statement.ts'
import type { RewriteInput } from './audited-statement.ts'
import { where } from './entry-insert.ts'
import { isLocked } from './lock.ts'
import { keepUnread, readLater, unreadRow } from './read-later.ts'
import type { RowEntries } from './row-entries.ts'
import type { RowNames } from './row-names.ts'

/*
 * A BEFORE DELETE trigger may keep a row, and mark it as deleted instead. RETURNING does not have such a row, but it was
 * locked: it is a locked row that was not deleted. What has become of it is read once the statement is over.
 */

const stayed = own('stayed')

/** What the deleted rows have to return, so that those that stayed are known. */
export function addressColumns({ address }: RowNames): Record<string, string> {
  return { relation: address('tableoid'), row: address('ctid') }
}

/** The CTE of the rows that were locked, but not deleted. */
export function stayedCte(
  { target, reference }: DeleteStatement,
  { address, before }: RowNames,
  { tracked: { table }, entry }: RewriteInput,
): string {
  const isDeleted = `SELECT FROM ${own('op')} AS o WHERE o.${own('relation')} = ${reference}.tableoid AND o.${own('row')} = ${reference}.ctid`
  const unread = table.primaryKey.length > 0 ? `${unreadRow(table, before, before)} AS ${own('unread')}` : ''
  return [
    `${stayed} AS (SELECT ${unread} FROM ${target}`,
    `WHERE ${isLocked(table, address, entry.reference('lockedRows'))} AND NOT EXISTS (${isDeleted}))`,
  ].join(' ')
}

/** The entries of rows that stayed; where no key finds them again, one entry says that there are some. */
export function withStayed(entries: RowEntries, { tracked, entry, later, note }: RewriteInput): RowEntries {
  const isFound = tracked.table.primaryKey.length > 0 && !tracked.link
  return isFound
    ? {
        ...entries,
        queries: [...entries.queries, keepUnread(stayed, 'start')],
        later: readLater(tracked, 'start', later, note),
      }
    : {
        ...entries,
        queries: [...entries.queries, where(`EXISTS (SELECT FROM ${stayed})`, note('trigger', entry))],
      }
}
