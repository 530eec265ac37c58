// A script that queues events and ends without a word: no flush, no $disconnect. Started by queue.test.ts.
import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'

const [connectionString, count, table] = process.argv.slice(2)
const adapter = new PrismaPg({ connectionString, idleTimeoutMillis: 100 })
const prisma = withAudit(new PrismaClient({ adapter }), { table: table ?? 'audit_logs' })
for (let n = 0; n < Number(count); n++) {
  await prisma.$audit.record({ action: 'script.step', resource: { type: 'script', id: n } }, { queue: true })
}
