import { AuditError } from '../errors.ts'

/**
 * Prisma's driver adapter, an optional dependency: only needed to connect with a connection string.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` when it is not installed
 */
export async function importAdapterPg(): Promise<typeof import('@prisma/adapter-pg')> {
  try {
    return await import('@prisma/adapter-pg')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      'The package @prisma/adapter-pg is not installed, and connecting with a connection string needs it. Run npm install @prisma/adapter-pg. Instead of a connection string, auditPage also takes a Prisma client.',
      { cause },
    )
  }
}
