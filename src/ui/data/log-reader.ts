import type { AuditEntry } from '../../log/entry.ts'
import type { Conditions } from '../../search/conditions.ts'
import type {
  WireActivity,
  WireDelivery,
  WireEntry,
  WireIntegrity,
  WireLogins,
  WireOverview,
  WirePage,
  WireSeal,
} from '../wire.ts'

/** What the web page asks of a log. Everything is bounded: in rows, in time, or both. */
export interface LogReader {
  /** Entries that match, newest first. */
  page(conditions: Conditions, page: { limit: number; cursor?: string | undefined }): Promise<WirePage>
  /** All entries that match, newest first, in constant memory. */
  entries(conditions: Conditions): AsyncIterable<AuditEntry>
  /** One entry with all of its details. */
  entry(id: string): Promise<WireEntry | undefined>
  /** What the seals say of one entry: null where the log has none, undefined where there is no such entry. */
  seal(id: string): Promise<WireSeal | null | undefined>
  /** Entries that match, counted over time, in about `buckets` spans. */
  activity(conditions: Conditions, buckets: number): Promise<WireActivity>
  overview(): Promise<WireOverview>
  failedLogins(span: Pick<Conditions, 'from' | 'to'>): Promise<WireLogins>
  /** Not there for a part of the log: how much of the whole is under way is nothing for whoever sees a part. */
  readonly delivery?: () => Promise<WireDelivery>
  /** Not there for a part of the log, either. */
  readonly integrity?: () => Promise<WireIntegrity>
}
