import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import audit from './audit.config.ts'
import { PrismaClient } from './generated/client/client.ts'

/** The application's client. */
export function openDatabase(connectionString: string) {
  return withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }), audit)
}

export type Database = ReturnType<typeof openDatabase>
