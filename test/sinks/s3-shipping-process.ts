// Ships to S3 until all is there. Started by s3-kill.test.ts, which kills it on the way.
import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { motoConfig } from '../../scripts/moto.ts'
import { startShipping, withAudit } from '../../src/index.ts'
import { s3 } from '../../src/sinks/s3.ts'
import { PrismaClient } from '../generated/client/client.ts'

const [connectionString, bucket = '', endpoint = ''] = process.argv.slice(2)
const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString }) }))
const sink = s3({
  ...{ bucket, retention: { mode: 'COMPLIANCE', days: 30 }, limits: { entries: 7, age: 0 } },
  client: motoConfig(endpoint),
})
const shipping = await startShipping(prisma, { sinks: [sink], pollInterval: 20, leaseDuration: 400 })
while ((await shipping.metrics())[0]?.lag.entries !== 0) await sleep(20)
await prisma.$disconnect()
