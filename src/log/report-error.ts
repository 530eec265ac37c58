import { AuditError, type AuditErrorCode } from '../errors.ts'

/** An error of work that reads the log: what is no AuditError came of that. */
export function readingError(thrown: unknown): AuditError {
  if (thrown instanceof AuditError) return thrown
  return new AuditError('AUDIT_UNREADABLE', String(thrown), { cause: thrown })
}

/** What metrics say of the last error. */
export interface LastError {
  readonly at: string
  readonly code: AuditErrorCode
  readonly message: string
}

/** An error of this moment, as metrics have it. */
export function lastErrorOf({ code, message }: AuditError): LastError {
  return { at: new Date().toISOString(), code, message }
}

/** Tells a handler of errors, or else the process, as a warning. Never throws: what the handler throws is a warning, too. */
export function reporterOf(onError: ((error: AuditError) => void) | undefined): (error: unknown) => void {
  return (error) => {
    const reported = readingError(error)
    try {
      if (onError) return onError(reported)
      process.emitWarning(reported.message, { code: reported.code })
    } catch (thrown) {
      process.emitWarning(String(thrown), { code: reported.code })
    }
  }
}
