import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

/** The application's client. The hash of an API key is nothing that a log should hold. */
export function openDatabase(connectionString: string) {
  return withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }), {
    redact: { ApiKey: ['hash'] },
  })
}

export type Database = ReturnType<typeof openDatabase>
