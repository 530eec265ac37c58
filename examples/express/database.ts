import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

/** The application's client. `withAudit` is all that it takes. */
export function openDatabase(connectionString: string) {
  return withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
}

export type Database = ReturnType<typeof openDatabase>
