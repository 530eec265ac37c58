import { PrismaPg } from '@prisma/adapter-pg'
import { type AuditPage, describeEntry, diffLines, withAudit, withAuditContext } from 'prisma-extension-audit'
import { PrismaClient } from './generated/client/client.ts'

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
const prisma = withAudit(new PrismaClient({ adapter }))

await withAuditContext({ actor: { id: 'ada', type: 'user' } }, async () => {
  await prisma.country.update({ where: { code: 'TR' }, data: { capitals: ['Ankara', 'İstanbul'] } })
  await prisma.country.update({ where: { code: 'TR' }, data: { capitals: ['Ankara'], area: 783_562 } })
  await prisma.$audit.logExport('country', { format: 'csv', rows: 250 })
})
await prisma.$audit.logLogin('eve', false, { reason: 'wrong password' })

const today = new Date(new Date().toDateString())

console.log('What happened to this record?')
// SELECT * FROM audit_logs WHERE resource_type = 'country' AND resource_id = 'TR' ORDER BY timestamp DESC LIMIT 50
show(await prisma.$audit.history('Country', 'TR'))

console.log('What did this person do?')
// SELECT * FROM audit_logs WHERE actor_id = 'ada' ORDER BY timestamp DESC LIMIT 50
show(await prisma.$audit.activity('ada'))

console.log('Who could not sign in?')
// SELECT * FROM audit_logs WHERE action = 'user.login' AND outcome = 'failure' AND timestamp >= current_date ORDER BY timestamp DESC LIMIT 50
show(await prisma.$audit.failedLogins({ since: today }))

console.log('Who took data out?')
// SELECT * FROM audit_logs WHERE action LIKE '%.export' AND timestamp >= current_date ORDER BY timestamp DESC LIMIT 50
show(await prisma.$audit.exports({ from: today }))

console.log('What did it look like, and can it be so again?')
const [latest, earlier] = (await prisma.$audit.search({ resource: 'Country', changed: 'capitals' })).entries
if (latest && earlier) {
  console.log(' ', (await prisma.$audit.stateAt('Country', 'TR', earlier.timestamp))?.capitals)
  await prisma.$audit.revert(latest.id)
  console.log(' ', (await prisma.country.findUnique({ where: { code: 'TR' } }))?.capitals)
}
await prisma.$disconnect()

function show({ entries }: AuditPage) {
  for (const entry of entries) console.log([`  ${describeEntry(entry)}`, ...diffLines(entry)].join('\n    '))
}
