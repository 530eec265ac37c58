// Ships to files, and kills itself at a step of its second batch. Started by faults.test.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { type Sink, startShipping, withAudit } from '../../src/index.ts'
import { rowLines } from '../../src/log/ndjson.ts'
import { files } from '../../src/sinks/files.ts'
import { PrismaClient } from '../generated/client/client.ts'

const [connectionString, directory = '', step = ''] = process.argv.slice(2)
const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
const inner = files({ directory, maxBytes: 4_000, limits: { entries: 7 } })
const kill = () => process.kill(process.pid, 'SIGKILL')
let batches = 0

const sink: Sink = {
  ...inner,
  write: async (batch) => {
    const isLast = ++batches === 2
    if (isLast && step === 'before') kill()
    // as much of it as had been written by then
    if (isLast && step === 'during') {
      await inner.write({ ...batch, lines: rowLines(batch.entries.slice(0, 3)) })
      kill()
    }
    const state = await inner.write(batch)
    if (isLast && step === 'after') kill()
    if (isLast && step === 'acknowledging') setTimeout(kill, Math.random() * 4)
    return state
  },
}

const shipping = await startShipping(prisma, { sinks: [sink], pollInterval: 20, leaseDuration: 400 })
while ((await shipping.metrics())[0]?.lag.entries !== 0) await sleep(20)
await prisma.$disconnect()
