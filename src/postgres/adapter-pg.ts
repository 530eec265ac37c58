import { AuditError } from '../errors.ts'

/**
 * Prisma's driver adapter, an optional dependency: only what connects by a connection string needs it.
 *
 * @throws AuditError `AUDIT_INVALID_OPTIONS` when it is not installed
 */
export async function importAdapterPg(): Promise<typeof import('@prisma/adapter-pg')> {
  try {
    return await import('@prisma/adapter-pg')
  } catch (cause) {
    throw new AuditError(
      'AUDIT_INVALID_OPTIONS',
      'The package @prisma/adapter-pg, which connects by a connection string, is not installed. Run npm install @prisma/adapter-pg. In place of a connection string, auditPage also takes a Prisma client.',
      { cause },
    )
  }
}
