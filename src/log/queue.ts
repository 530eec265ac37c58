import type { AuditError } from '../errors.ts'
import type { TableName } from '../sql.ts'
import type { LogConnection } from './connection.ts'
import { insertEntries, type NewEntry } from './insert.ts'

/** Writes entries later and in batches. */
export class EntryQueue {
  readonly #table: TableName
  readonly #connection: LogConnection

  constructor(
    table: TableName,
    connection: LogConnection,
    _onError: ((error: AuditError) => void) | undefined,
  ) {
    this.#table = table
    this.#connection = connection
  }

  /** Resolves when the queue has taken the entries; waits while it is full. */
  async add(...entries: NewEntry[]): Promise<void> {
    await insertEntries(this.#table, this.#connection, entries)
  }

  /** Resolves when every entry that was added before is written, or given to `onError`. */
  async flush(): Promise<void> {}
}
