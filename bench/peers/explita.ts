import { auditLogExtension } from '@explita/prisma-audit-log'
import { requestContext } from '../context.ts'
import type { PrismaClient } from '../generated/peers/client/client.ts'
import { auditLogModel } from './audit-log-model.ts'
import { type Contender, ordinaryClient } from './contender.ts'
import { unaudited } from './unaudited.ts'

/** @explita/prisma-audit-log with the model of its README, which has no index but that of the key. */
export const explita: Contender = {
  name: '@explita/prisma-audit-log',
  log: auditLogModel,
  comparedTo: unaudited.name,
  isPeer: true,
  connect: (pool) => {
    const extension = auditLogExtension({
      getContext: () => ({
        userId: requestContext.actor.id,
        ipAddress: requestContext.ip,
        userAgent: requestContext.userAgent,
      }),
    })
    return ordinaryClient(pool).$extends(extension) as unknown as PrismaClient
  },
}
