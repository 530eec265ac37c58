import { type Sink, startShipping, withAudit } from 'prisma-extension-audit'
import { files } from 'prisma-extension-audit/files'
import { s3 } from 'prisma-extension-audit/s3'
import { motoConfig } from '../scripts/moto.ts'
import { ordinaryAdapter } from './clients.ts'
import { PrismaClient } from './generated/client/client.ts'

const [url = '', kind, place = '', endpoint = ''] = process.argv.slice(2)

/** `place` is a directory, or a bucket. */
function createSink(): Sink {
  if (kind === 'files') return files({ name: 'bench', directory: place })
  if (kind === 's3') {
    const retention = { mode: 'COMPLIANCE', days: 1 } as const
    return s3({ name: 'bench', bucket: place, retention, client: motoConfig(endpoint) })
  }
  return { name: 'bench', limits: { entries: 10_000 }, write: async ({ lines }) => void lines.length }
}

const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
await client.$audit.search({}, { limit: 1 }) // connected, everything loaded
let memory = 0
setInterval(() => {
  memory = Math.max(memory, process.memoryUsage.rss())
}, 20).unref()

const before = process.cpuUsage()
const shipping = await startShipping(client, { sinks: [createSink()] })
process.on('message', async (question) => {
  if (question === 'stop') {
    await client.$disconnect()
    process.disconnect()
  } else {
    const { user, system } = process.cpuUsage(before)
    const [metrics] = await shipping.metrics()
    process.send?.({ cpu: user + system, memory, lag: metrics?.lag.seconds ?? 0 })
  }
})
process.send?.('begun')
