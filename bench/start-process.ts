const begun = performance.now()
const { PrismaPg } = await import('@prisma/adapter-pg')
const { PrismaClient } = await import('./generated/client/client.ts')
const plain = performance.now()
const { withAudit } = process.argv[3] === 'audited' ? await import('prisma-extension-audit') : { withAudit: (c: any) => c }
const loaded = performance.now()
const client = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: process.argv[2] }) })) as InstanceType<typeof PrismaClient>
const made = performance.now()
await client.order.create({ data: { customer: 'Ada', total: 1 } })
const written = performance.now()
await client.order.create({ data: { customer: 'Ada', total: 1 } })
const second = performance.now()
console.log(JSON.stringify({ prisma: plain - begun, import: loaded - plain, make: made-loaded, write: written - loaded, second: second-written, rss: process.memoryUsage().rss / 1e6 }))
await client.$disconnect()
