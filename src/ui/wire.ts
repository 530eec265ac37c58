/** What the handler sends and the web page reads. Types only, so both sides can import them. */

/** An entry as it travels: like an `AuditEntry`, with every digit that the database has. */
export interface WireEntry {
  id: string
  /** ISO 8601 in UTC with microseconds. */
  timestamp: string
  action: string
  actor: { id: string; type: string; email: string | null }
  resource: { type: string; id: string | null }
  outcome: string
  reason: string | null
  /** JSON text as PostgreSQL prints it, since JavaScript's numbers would round. Null when there are none. */
  details: string | null
  /** In a list, long details are left out but for their small parts. The entry by itself has them all. */
  shortened: boolean
  requestId: string | null
  ip: string | null
  userAgent: string | null
  organizationId: string | null
  seq: string
  transactionId: string
}

export interface WirePage {
  entries: WireEntry[]
  /** Give it back to go on with older entries; null at the end of the log. */
  nextCursor: string | null
  /**
   * Set when the time for one page was over before it was full: entries back to this moment were looked at, and
   * `nextCursor` goes on from there.
   */
  stoppedAt: string | null
}

/** How many entries there were in each of a row of equal spans of time. */
export interface WireActivity {
  /** Milliseconds. */
  bucket: number
  /** Begin of a bucket in milliseconds since 1970, successes, failures; buckets without entries are left out. */
  counts: [begin: number, successes: number, failures: number][]
  /** 1 when every entry was counted; else the part of the log's pages that was, and the counts are scaled up. */
  sample: number
  /** Filters that were left out, since to count by them would take too long. */
  ignored: string[]
}

/** What there is to choose from, and what the log is. */
export interface WireOverview {
  /** `database · schema.table`, for people to read. */
  name: string
  /** The planner's estimate of the number of entries. */
  estimate: number
  actions: string[]
  resourceTypes: string[]
  /** Who acted most among the newest entries. */
  actors: { id: string; type: string; email: string | null }[]
}

/** Failed logins of a span of time, newest {@link WireLogins.counted} at most. */
export interface WireLogins {
  counted: number
  /** False when there are more than were counted. */
  complete: boolean
  actors: LoginGroup[]
  addresses: LoginGroup[]
}

export interface LoginGroup {
  /** Null where the entries have none. */
  key: string | null
  count: number
  /** How many different addresses (of an actor) or actors (of an address). */
  others: number
  newest: string
}

export interface WireError {
  error: { code: string; message: string }
}
