import type { WireActivity, WireEntry, WireLogins, WireOverview, WirePage } from '../wire.ts'
import type { Filter } from './filter.ts'

/** What the page asks of a log. Everything is bounded: in rows, in time, or both. */
export interface LogReader {
  /** Entries that match, newest first. */
  page(filter: Filter, page: { limit: number; cursor?: string | undefined }): Promise<WirePage>
  /** One entry with all of its details. */
  entry(id: string): Promise<WireEntry | undefined>
  /** Entries that match, counted over time, in about `buckets` spans. */
  activity(filter: Filter, buckets: number): Promise<WireActivity>
  overview(): Promise<WireOverview>
  failedLogins(filter: Filter): Promise<WireLogins>
}
