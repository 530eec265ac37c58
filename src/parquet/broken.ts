import { AuditError } from '../errors.ts'

/** @param found what is there instead */
export function brokenArchive(key: string, location: string, found: string, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_ARCHIVE_BROKEN',
    `The archive ${location} does not have ${key} as it was stored: ${found}. Where "maintain" was storing it just now, run that again: it stores it anew, and nothing has left the log. Else bring that file back from a copy of the archive; as long as it differs, nothing that only it has can be read.`,
    { cause },
  )
}
