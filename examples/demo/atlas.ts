import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

/** The client of the whole demo. `withAudit` is all that it takes: no call below knows about the log. */
export function openAtlas(connectionString: string) {
  return withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
}

export type Atlas = ReturnType<typeof openAtlas>
