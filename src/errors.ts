/** The stable codes of {@link AuditError} and what they mean. Switch on these, never on messages. */
export const auditErrorCodes = {
  AUDIT_INVALID_OPTIONS: "`withAudit` got options it can't use",
  AUDIT_INVALID_CONTEXT: "a context holds a value that the log can't store",
  AUDIT_ALREADY_WRAPPED: 'the client is audited already',
  AUDIT_NO_ADAPTER: 'the client has no driver adapter, as with Prisma Accelerate',
  AUDIT_UNSUPPORTED_CLIENT: 'a Prisma client whose internals this version does not support',
  AUDIT_UNSUPPORTED_DATABASE: 'not PostgreSQL, or older than 14',
  AUDIT_NOT_INTERCEPTED: 'the client had connected before it was wrapped',
  AUDIT_TABLE_MISSING: "the log's table does not exist or lacks a column",
  AUDIT_SCHEMA_CHANGED: 'a migration changed the table while a transaction was about to write to it',
  AUDIT_LOG_OUTDATED: 'the database lacks a migration of the log',
  AUDIT_LOG_UNPROTECTED:
    'a trigger that keeps entries or their seals from being changed is missing or disabled',
  AUDIT_PARTITIONS_ENDING: 'the partitions of the log end within a month; nobody has run `maintain`',
  AUDIT_PARTITION_DEFAULT:
    'the log has a default partition, which keeps months from being created, and what it takes from leaving',
  AUDIT_PARTITION_MISSING: 'the log has no partition for what is written now, so writes are refused',
  AUDIT_OPTIONS_DIFFER: "a table's triggers record it differently from what the client's options say",
  AUDIT_TRIGGERS_OUTDATED:
    '`verify()` found triggers that are incomplete, or no longer fit their table; a write met incomplete ones',
  AUDIT_ACTOR_REQUIRED: '`requireActor` is set and there is no actor',
  AUDIT_UNCAPTURABLE: "`uncapturable: 'throw'` refused a statement",
  AUDIT_INVALID_EVENT: "an explicit event holds a value that the log can't store",
  AUDIT_INVALID_FILTER: "a query helper got a filter, model, id or page it can't use",
  AUDIT_INVALID_CURSOR: 'a cursor was changed, or belongs to another filter',
  AUDIT_CURSOR_AHEAD: 'a cursor is ahead of the log: the log was restored, or the cursor is of another',
  AUDIT_ERA_UNCLEAR: 'the entries of this server and of another are in one log, and their order is not known',
  AUDIT_INVALID_SUBSCRIPTION: "`subscribe` got a name, a handler or an option it can't use",
  AUDIT_SUBSCRIBER_FAILED: 'the handler of a subscription failed; it gets the same entries again',
  AUDIT_LEASE_LOST: 'another process has taken over from a subscriber or shipper that was silent too long',
  AUDIT_SINK_AWAY: 'a sink did not store a batch, which may pass by itself; it gets the same batch again',
  AUDIT_SINK_THROTTLED: 'a sink has too much to do; it gets the same batch again, not before `retryAfter`',
  AUDIT_SINK_REFUSED: 'a sink refuses what it gets until somebody mends it; it gets the same batch again',
  AUDIT_INVALID_KEY: "a key of the seals is missing or can't be used",
  AUDIT_SEALS_BROKEN: 'the seals in the database do not follow from each other, so nothing was signed',
  AUDIT_ANCHOR_FAILED: 'a checkpoint was not published, or could not be read back, where an anchor keeps it',
  AUDIT_NOT_SEALED:
    "an entry is not in a checkpoint, or not in the log: there is no proof of it, or it can't be erased yet",
  AUDIT_ERASE_REFUSED: 'nothing was erased: the role may not, or the database refused',
  AUDIT_NOT_MAINTAINED:
    'the log was not partitioned or maintained: the role may not, or something is in the way',
  AUDIT_ARCHIVE_UNREADABLE: 'what a sink has stored could not be read back, so nothing is known of it',
  AUDIT_ARCHIVE_BROKEN:
    'a file of the archive is gone, or is not what was stored; nothing of it leaves the log',
  AUDIT_UNREADABLE: 'the log could not be read: the database is away, or refuses',
  AUDIT_NOT_WRITTEN: 'an explicit event or a queued entry could not be written; `entry` has it',
  AUDIT_REVERT_REFUSED: 'a change cannot be undone: not found, not a change, redacted, or no longer possible',
  AUDIT_REVERT_CONFLICT: 'the record has changed since in the fields to undo',
  AUDIT_VERSIONS_DIFFER: 'two versions of this package that do not work together are loaded in one process',
  AUDIT_CONTENDED: 'an upsert lost the race for its key too often',
  AUDIT_CLI: "the command line got something it can't use",
} as const

export type AuditErrorCode = keyof typeof auditErrorCodes

/** An entry that did not reach the log, as it would have been stored. */
export interface UnwrittenEntry {
  /** A UUIDv7: contains the time at which the entry was made. */
  id: string
  action: string
  actor: { id: string; type: 'user' | 'system' | 'api_key'; email?: string }
  resource: { type: string; id: string | null }
  outcome: 'success' | 'failure'
  reason: string | null
  details: Record<string, unknown> | null
  requestId: string | null
  ip: string | null
  userAgent: string | null
  organizationId: string | null
}

/** A field that has changed since the entry, so undoing the entry would lose the later change. */
export interface RevertConflict {
  readonly field: string
  /** The value that the entry left, as JSON in the form of entries; null if it left no record. */
  readonly expected: unknown
  /** The current value, in the same form; `"[redacted]"` if the log must not hold it. */
  readonly found: unknown
}

interface AuditErrorOptions {
  cause?: unknown
  entry?: UnwrittenEntry
  conflicts?: readonly RevertConflict[]
  retryAfter?: number | undefined
}

/** Marks the errors of all copies of this package in a process. */
const brand = Symbol.for('prisma-extension-audit/error')

/**
 * The one error of this library. The message names the state, why it is refused and the fix.
 *
 * @example
 * ```ts
 * try {
 *   await prisma.user.create({ data })
 * } catch (error) {
 *   if (error instanceof AuditError && error.code === 'AUDIT_ACTOR_REQUIRED') redirectToLogin()
 *   else throw error
 * }
 * ```
 */
export class AuditError extends Error {
  /** An error from another copy of this package is an AuditError too; subclasses are told apart as always. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this method, and is `this` then
    if (this !== AuditError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && brand in value
  }

  override readonly name = 'AuditError'
  readonly code: AuditErrorCode
  /** With `AUDIT_NOT_WRITTEN` and `AUDIT_TABLE_MISSING`: the entry that the log lacks. */
  declare readonly entry?: UnwrittenEntry
  /** With `AUDIT_REVERT_CONFLICT`: the fields that have changed since. */
  declare readonly conflicts?: readonly RevertConflict[]
  /** With `AUDIT_SINK_THROTTLED`: milliseconds before another attempt is worth it. */
  declare readonly retryAfter?: number

  constructor(code: AuditErrorCode, message: string, options: AuditErrorOptions = {}) {
    const { entry, conflicts, retryAfter, ...errorOptions } = options
    super(message, errorOptions)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
    if (entry) this.entry = entry
    if (conflicts) this.conflicts = conflicts
    if (retryAfter !== undefined) this.retryAfter = retryAfter
  }
}
