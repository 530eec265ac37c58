import { withAudit } from 'prisma-extension-audit'
import { ordinaryAdapter } from './clients.ts'
import { PrismaClient } from './generated/client/client.ts'

const [url = ''] = process.argv.slice(2)
const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
await client.$audit.search({}, { limit: 1 }) // connected, everything loaded

const before = process.memoryUsage.rss()
const start = performance.now()
let highest = before
let entries = 0
for await (const _ of client.$audit.stream({})) {
  entries++
  if (entries % 1_000 === 0) highest = Math.max(highest, process.memoryUsage.rss())
}
process.send?.({ entries, seconds: (performance.now() - start) / 1_000, before, highest })
await client.$disconnect()
process.disconnect()
