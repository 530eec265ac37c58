import type { AttributedContext } from '../attribution.ts'
import type { DataModel } from '../models/data-model.ts'
import type { StoredModels } from '../models/stored-models.ts'
import type { ResolvedOptions } from '../options.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import type { ArchivedLog } from './archived-log.ts'
import type { Background } from './background.ts'
import type { EntryQueue } from './queue.ts'

/** What reading the log needs. */
export interface ReadableLog {
  readonly options: Pick<ResolvedOptions, 'table'>
  readonly models: StoredModels
  /** Where entries are read and written: the client's pool, or the transaction that this `$audit` belongs to. */
  readonly connection: SqlClient
  /** What has left the table; undefined for a log without an archive. */
  readonly archive?: ArchivedLog | undefined
}

/** What everything behind `$audit` works with: one for an audited client, and one for each of its transactions. */
export interface Log extends ReadableLog {
  readonly options: ResolvedOptions
  readonly dataModel: DataModel
  /** Writes later, always on the pool, so queued entries survive a rollback. */
  readonly queue: EntryQueue
  /** Entries for the queue that are still being made. */
  readonly background: Background
  /** Waits for the background and the queue. */
  readonly flush: () => Promise<void>
  /** What runs until the client disconnects, each with the way to end it earlier. */
  readonly endings: Set<() => Promise<void>>
  /** Who and where, for an entry made now. */
  readonly context: () => AttributedContext
  /** The audited client without any other extension, or its half in that transaction. */
  readonly client: () => object
  /** Whether this is the log of an interactive transaction. */
  readonly isTransaction: boolean
}
