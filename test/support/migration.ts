import { readFile } from 'node:fs/promises'

/** The migration that makes the log, as the package ships it. */
export const migration = await readFile('prisma/migrations/20260101000000_audit_log/migration.sql', 'utf8')
