import { defineAudit } from 'prisma-extension-audit'
import type { PrismaClient } from './generated/client/client.ts'

/** For the application and for `npx prisma-extension-audit`. The hash of an API key is nothing that a log should hold. */
export default defineAudit<PrismaClient>({
  redact: { ApiKey: ['hash'] },
})
