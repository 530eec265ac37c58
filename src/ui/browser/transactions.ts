import type { WireEntry } from '../wire.ts'
import { parseDetails } from './values.ts'

const changing = /\.(create|update|delete|connect|disconnect|truncate)$/

/**
 * Whether an entry was written by a change of data, hence in the transaction of that change. Events, reads and failures may
 * have been queued: then they share a transaction with whatever was queued with them.
 */
export function isChange({ action, outcome, details }: WireEntry): boolean {
  if (outcome !== 'success') return false
  const { operation, statement } = parseDetails(details)
  if (action === 'raw.execute') return statement !== undefined
  return changing.test(action) && operation !== 'logDataChange'
}

/** The transactions of these entries that really are one of the application's: the queue never writes with a change. */
export function realTransactions(entries: readonly WireEntry[]): ReadonlySet<string> {
  return new Set(entries.filter(isChange).map(({ transactionId }) => transactionId))
}
