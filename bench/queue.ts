import { withAudit, withAuditContext } from 'prisma-extension-audit'
import { ordinaryAdapter } from './clients.ts'
import { requestContext } from './context.ts'
import { PrismaClient } from './generated/client/client.ts'
import { median } from './measure.ts'

export interface QueueResult {
  readonly events: number
  readonly rounds: number
  /** The median of the rounds: from the first call until everything is in the table. */
  readonly perSecond: number
  readonly isMet: boolean
}

export const queueTarget = 5_000

/** Queued events a second: `record` with everything that it checks, and their way into the table. */
export async function measureQueue(
  url: string,
  { events, rounds }: { events: number; rounds: number },
): Promise<QueueResult> {
  const prisma = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
  try {
    await queueEvents(prisma, 1_000)
    const rates: number[] = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await queueEvents(prisma, events)
      rates.push((events / (performance.now() - start)) * 1_000)
    }
    const perSecond = median(rates)
    return { events, rounds, perSecond, isMet: perSecond >= queueTarget }
  } finally {
    await prisma.$disconnect()
  }
}

/** One after the other, as requests that wait for the queue to take their event. */
async function queueEvents(prisma: ReturnType<typeof withAudit<PrismaClient>>, count: number): Promise<void> {
  await withAuditContext(requestContext, async () => {
    for (let id = 0; id < count; id++) {
      await prisma.$audit.record(
        {
          action: 'report.view',
          resource: { type: 'report', id },
          details: { format: 'pdf', rows: id, filter: { from: new Date(), tags: ['blue', 'red'] } },
        },
        { queue: true },
      )
    }
    await prisma.$audit.flush()
  })
}
