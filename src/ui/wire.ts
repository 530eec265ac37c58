/** What the handler sends and the web page reads. Types only, so both sides can import them. */

/** What the handler gives, by the name that is asked for. */
export interface WireAnswers {
  overview: WireOverview
  entries: WirePage
  activity: WireActivity
  'failed-logins': WireLogins
  delivery: WireDelivery
  integrity: WireIntegrity
  [entry: `entries/${string}`]: WireEntry
  [seal: `seals/${string}`]: WireSeal | null
}

/** An entry as it is sent: like an `AuditEntry`, with every digit that the database has. */
export interface WireEntry {
  id: string
  /** ISO 8601 in UTC with microseconds. */
  timestamp: string
  action: string
  actor: { id: string; type: string; email: string | null }
  resource: { type: string; id: string | null }
  outcome: string
  reason: string | null
  /** JSON text as PostgreSQL prints it, since JavaScript's numbers would round. Null when there are no details. */
  details: string | null
  /** In a list, long details are left out, except for their small parts. A single entry has them all. */
  shortened: boolean
  requestId: string | null
  ip: string | null
  userAgent: string | null
  organizationId: string | null
  seq: string
  transactionId: string
  /**
   * Whether its transaction has a change of data, so that the entries of the transaction belong together. Only a single entry
   * says it.
   */
  besideChange?: boolean
  /** The file of the archive that it was read from, or `archive` on a page with a fixed filter; left out for an entry of the table. */
  archivedIn?: string
}

/** What counts leave out. */
export interface WireLeftOut {
  /** ISO 8601. From then on all entries are in the table, which is counted; of older ones some or all are in the archive. */
  before: string
  /** Whether the lists of the page have what is in the archive. */
  isListed: boolean
}

export interface WirePage {
  entries: WireEntry[]
  /** Send it back to go on with older entries; null at the end of the log. */
  nextCursor: string | null
  /**
   * Set when the time for a page ran out before it was full: entries back to this moment were searched, and
   * `nextCursor` continues from there.
   */
  stoppedAt: string | null
}

/** The number of entries in each of a series of equal time spans. */
export interface WireActivity {
  /** Milliseconds. */
  bucket: number
  /** Start of a bucket in milliseconds since 1970, successes, failures; buckets without entries are left out. */
  counts: [begin: number, successes: number, failures: number][]
  /** 1 when every entry was counted; otherwise the fraction of the table that was, and the counts are scaled up. */
  sample: number
  /** Filters that were ignored, since counting by them would take too long. */
  ignored: string[]
  /** Left out where everything asked for is counted. */
  leftOut?: WireLeftOut
}

/** The values to choose from, and a description of the log. */
export interface WireOverview {
  /** `database · schema.table`, for people to read. */
  name: string
  /** The planner's estimate of the number of entries. */
  estimate: number
  actions: string[]
  resourceTypes: string[]
  /** The most active actors of the newest entries. */
  actors: { id: string; type: string; email: string | null }[]
  /** Whether the log is delivered to sinks. A page with a fixed filter does not say it. */
  hasSinks?: boolean
  /** Whether the log is sealed. A page with a fixed filter does not say it. */
  hasSeals?: boolean
  /** Left out where the values are those of the whole log. */
  leftOut?: WireLeftOut
}

/** What the seals say of one entry. */
export interface WireSeal {
  /** `broken`: it is not what was sealed, or its proof does not hold. */
  state: 'sealed' | 'waiting' | 'broken'
  /** The number of the first checkpoint that covers it; null where it is not sealed, and on a page with a fixed filter. */
  checkpoint: number | null
  /** Whether values of it were erased since it was sealed. */
  isErased: boolean
  /** Set where its leaf is in the log's tree, and the entry itself was read from the archive. */
  isArchived?: true
}

/** The seals of a log. */
export interface WireIntegrity {
  /** The newest, the newest first. */
  checkpoints: {
    number: number
    /** How many entries it covers, from the beginning of the log. */
    size: number
    createdAt: string
    /** The names of the keys that signed it. */
    keys: string[]
  }[]
  /** Entries that are in no checkpoint, counted up to 100,000, and how long the oldest has waited. */
  waiting: { entries: number; seconds: number }
  /** What `verify` stored last; null where that is nothing, or the role may not read it. It proves nothing. */
  verification: {
    endedAt: string
    /** `stopped` found nothing until it was ended before its time. */
    result: 'intact' | 'altered' | 'stopped'
    /** How many entries were sealed, and how many of them were compared. */
    size: number
    entries: number
    findings: number
    /** How many entries an anchor covered; null where none was asked. */
    anchored: number | null
    /** The role of the database that ran it. */
    role: string
    sealedSince: number
  } | null
}

/** How far the sinks of a log are. */
export interface WireDelivery {
  sinks: {
    name: string
    /** Committed entries that it has not acknowledged, counted up to 100,000. */
    entries: number
    /** Since the first of them was written; 0 where there is none. */
    seconds: number
    /** Whether a process works for it. */
    isHeld: boolean
    /** How many were begun. */
    batches: string
    /** Null before the first. */
    acknowledgedAt: string | null
  }[]
  /** Committed entries that no sink may get before an older transaction ends, counted up to 10,000. */
  heldBack: number
  /** Whose transaction that is. */
  holder: {
    pid: number | null
    /** The name of a prepared transaction. */
    gid: string | null
    application: string | null
    user: string | null
    database: string | null
    since: string | null
  } | null
}

/** Failed logins of a time span, the newest {@link WireLogins.counted} at most. */
export interface WireLogins {
  counted: number
  /** False when there are more than those counted. */
  complete: boolean
  actors: LoginGroup[]
  addresses: LoginGroup[]
  /** Left out where everything asked for is counted. */
  leftOut?: WireLeftOut
}

export interface LoginGroup {
  /** Null if the entries have none. */
  key: string | null
  count: number
  /** How many different addresses (of an actor) or actors (of an address). */
  others: number
  newest: string
}

export interface WireError {
  error: { code: string; message: string }
}
