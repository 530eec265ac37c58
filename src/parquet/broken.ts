import { AuditError } from '../errors.ts'

/** @param found what is there instead */
export function brokenArchive(key: string, location: string, found: string, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_ARCHIVE_BROKEN',
    `The archive ${location} does not have ${key} as it was stored: ${found}. Bring that file back from a copy of the archive; as long as it differs, nothing that only it has can be read, and nothing leaves the log on its account.`,
    { cause },
  )
}
