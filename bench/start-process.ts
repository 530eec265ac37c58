import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client/client.ts'
import type { Start } from './start.ts'

/** Measures a process that has just loaded everything: the time since it began, its first write, its memory then. */
export async function firstWrite(wrap: (client: PrismaClient) => PrismaClient): Promise<void> {
  const loaded = performance.now() // since the process began
  const client = wrap(
    new PrismaClient({ adapter: new PrismaPg({ connectionString: process.argv[2] ?? '' }) }),
  )
  await client.order.create({ data: { customer: 'Ada Lovelace', total: 1 } })
  const written = performance.now()
  const start: Start = { loading: loaded, firstWrite: written - loaded, memory: process.memoryUsage().rss }
  process.send?.(start)
  await client.$disconnect()
  process.disconnect?.()
}
