import type { AttributedContext } from '../current-context.ts'
import type { ResolvedOptions } from '../options.ts'
import type { LogConnection } from './connection.ts'
import type { LoggedModels } from './models.ts'
import type { EntryQueue } from './queue.ts'

/** What reading the log takes. */
export interface ReadableLog {
  readonly options: Pick<ResolvedOptions, 'table'>
  readonly models: LoggedModels
  /** Where entries are read and written: the client's pool, or the transaction that this `$audit` is of. */
  readonly connection: LogConnection
}

/** What everything behind `$audit` works with: one for an audited client, and one for each of its transactions. */
export interface Log extends ReadableLog {
  readonly options: ResolvedOptions
  /** Writes later, always on the pool, so that what is queued survives a rollback. */
  readonly queue: EntryQueue
  /** Who and where, for an entry made now. */
  readonly context: () => AttributedContext
  /** The audited client, or that transaction's. */
  readonly client: () => object
}
