import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit, withAuditContext } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
const prisma = withAudit(new PrismaClient({ adapter }))

const turkey = { code: 'TR', name: 'Turkey', capitals: ['Ankara'] }
const ada = { actor: { id: 'ada', type: 'user' }, requestId: 'req-1', ip: '203.0.113.7' } as const
await withAuditContext(ada, async () => {
  await prisma.country.upsert({ where: { code: 'TR' }, create: turkey, update: turkey })
  await prisma.country.update({ where: { code: 'TR' }, data: { name: 'Türkiye' } })
})

const entry = await prisma.auditLog.findFirst({ orderBy: { seq: 'desc' } })
console.dir(entry, { depth: null })
await prisma.$disconnect()
