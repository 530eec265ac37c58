import { verifyArchive, withAudit } from 'prisma-extension-audit'
import { ordinaryAdapter } from './clients.ts'
import { PrismaClient } from './generated/client/client.ts'
import { watchMemory } from './highest-memory.ts'
import { createSink } from './ship-sink.ts'

const [url = '', ...sink] = process.argv.slice(2)
const client = withAudit(new PrismaClient({ adapter: ordinaryAdapter(url) }))
await client.$audit.search({}, { limit: 1 }) // connected, everything loaded
const memory = watchMemory()

const start = performance.now()
const [report] = await verifyArchive(client, { sinks: [createSink(...sink)] })
const seconds = (performance.now() - start) / 1_000
process.send?.({ ok: report?.ok, entries: report?.entries.equal, seconds, memory: memory() })
await client.$disconnect()
process.disconnect()
