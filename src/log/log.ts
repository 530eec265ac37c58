import type { AttributedContext } from '../current-context.ts'
import type { DataModel } from '../data-model.ts'
import type { ResolvedOptions } from '../options.ts'
import type { Background } from './background.ts'
import type { LogConnection } from './connection.ts'
import type { LoggedModels } from './models.ts'
import type { EntryQueue } from './queue.ts'

/** What everything behind `$audit` works with: one for an audited client, and one for each of its transactions. */
export interface Log {
  readonly options: ResolvedOptions
  readonly dataModel: DataModel
  readonly models: LoggedModels
  /** Where entries are read and written: the client's pool, or the transaction that this `$audit` is of. */
  readonly connection: LogConnection
  /** Writes later, always on the pool, so that what is queued survives a rollback. */
  readonly queue: EntryQueue
  /** Entries that are still being made, for the queue. */
  readonly background: Background
  /** Waits for the background and the queue. */
  readonly flush: () => Promise<void>
  /** Who and where, for an entry made now. */
  readonly context: () => AttributedContext
  /** The audited client, or that transaction's. */
  readonly client: () => object
}
