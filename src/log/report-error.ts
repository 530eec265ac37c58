import { AuditError } from '../errors.ts'

/**
 * Tells a handler of errors, or else the process, as a warning. Never throws: what the handler throws is a warning, too. What is no
 * AuditError came of reading the log.
 */
export function reporterOf(onError: ((error: AuditError) => void) | undefined): (error: unknown) => void {
  return (error) => {
    const reported =
      error instanceof AuditError
        ? error
        : new AuditError('AUDIT_UNREADABLE', String(error), { cause: error })
    try {
      if (onError) return onError(reported)
      process.emitWarning(reported.message, { code: reported.code })
    } catch (thrown) {
      process.emitWarning(String(thrown), { code: reported.code })
    }
  }
}
