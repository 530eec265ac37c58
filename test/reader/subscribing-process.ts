// Subscribes and writes each batch that it handles to stdout, as JSON. Started, and killed, by subscribe.test.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'

const [connectionString, name = '', pause = '0'] = process.argv.slice(2)
const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
await prisma.$audit.subscribe(
  name,
  async (entries, { number }) => {
    process.stdout.write(`${JSON.stringify([String(number), entries.map(({ action }) => action)])}\n`)
    await sleep(Number(pause))
  },
  { from: 'beginning', batchSize: 5, pollInterval: 20, leaseDuration: 500 },
)
process.stdout.write('subscribed\n')
