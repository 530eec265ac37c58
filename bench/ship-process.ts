import { startShipping, withAudit } from 'prisma-extension-audit'
import { ordinaryAdapter } from './clients.ts'
import { PrismaClient } from './generated/client/client.ts'
import { watchMemory } from './highest-memory.ts'
import { createSink } from './ship-sink.ts'

const [url = '', ...sink] = process.argv.slice(2)

const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
await client.$audit.search({}, { limit: 1 }) // connected, everything loaded
const memory = watchMemory()

const before = process.cpuUsage()
const shipping = await startShipping(client, { sinks: [createSink(...sink)] })
process.on('message', async (question) => {
  if (question === 'stop') {
    await client.$disconnect()
    process.disconnect()
  } else {
    const { user, system } = process.cpuUsage(before)
    const [metrics] = await shipping.metrics()
    process.send?.({ cpu: user + system, memory: memory(), lag: metrics?.lag.seconds ?? 0 })
  }
})
process.send?.('begun')
