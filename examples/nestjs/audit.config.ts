import { defineAudit } from 'prisma-extension-audit'
import type { PrismaClient } from './generated/client/client.ts'

/**
 * For the application and for `npx prisma-extension-audit`. Who looked at a patient is recorded too, and the insurance's
 * number is not.
 */
export default defineAudit<PrismaClient>({
  reads: ['Patient', 'Prescription'],
  redact: { Patient: ['insuranceId'] },
})
