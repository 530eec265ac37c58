/**
 * The stable codes of {@link AuditError}. Switch on these, never on messages.
 *
 * | code | state |
 * | --- | --- |
 * | `AUDIT_INVALID_OPTIONS` | `withAudit` got options it can't use |
 * | `AUDIT_INVALID_CONTEXT` | a context holds a value the log can't store |
 * | `AUDIT_ALREADY_WRAPPED` | the client is audited already |
 * | `AUDIT_NO_ADAPTER` | the client has no driver adapter to ride on (Accelerate) |
 * | `AUDIT_UNSUPPORTED_DATABASE` | not PostgreSQL, or older than 14 |
 * | `AUDIT_NOT_INTERCEPTED` | the client's statements don't pass through the audit |
 * | `AUDIT_TABLE_MISSING` | the log's table is not there, or lacks a column: the migration was not applied |
 * | `AUDIT_SCHEMA_CHANGED` | a migration changed the table while a transaction was about to write to it |
 * | `AUDIT_ACTOR_REQUIRED` | `requireActor` is set and nobody is named |
 * | `AUDIT_UNCAPTURABLE` | `uncapturable: 'throw'` refused a statement |
 * | `AUDIT_CONTENDED` | an upsert lost the race for its key too often |
 * | `AUDIT_CLI` | the command line got something it can't use |
 */
export type AuditErrorCode =
  | 'AUDIT_INVALID_OPTIONS'
  | 'AUDIT_INVALID_CONTEXT'
  | 'AUDIT_ALREADY_WRAPPED'
  | 'AUDIT_NO_ADAPTER'
  | 'AUDIT_UNSUPPORTED_DATABASE'
  | 'AUDIT_NOT_INTERCEPTED'
  | 'AUDIT_TABLE_MISSING'
  | 'AUDIT_SCHEMA_CHANGED'
  | 'AUDIT_ACTOR_REQUIRED'
  | 'AUDIT_UNCAPTURABLE'
  | 'AUDIT_CONTENDED'
  | 'AUDIT_CLI'

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
  override readonly name = 'AuditError'
  readonly code: AuditErrorCode

  constructor(code: AuditErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
