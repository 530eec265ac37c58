import { PrismaPg } from '@prisma/adapter-pg'
import { withAudit, withAuditContext } from 'prisma-extension-audit'
import { auditPage } from 'prisma-extension-audit/ui'

const actor = { id: 'ada', type: 'user' }

/** Writes a note, and opens the page of the log: what an application does, in one call. */
export async function answer(PrismaClient) {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
  const prisma = withAudit(new PrismaClient({ adapter }))
  const page = auditPage(prisma, { basePath: '/audit' })
  try {
    const note = await withAuditContext({ actor }, () => prisma.note.create({ data: { text: 'bundled' } }))
    const { entries } = await prisma.$audit.history('Note', note.id)
    const document = await page(new Request('http://localhost/audit'))
    const [script] = /\/audit\/assets\/page\.js[^"]*/.exec(await document.text())
    const opened = await page(new Request(`http://localhost${script}`))
    return {
      entries: entries.map(({ action, actor }) => `${action} by ${actor.id}`),
      page: [document.status, opened.status, (await opened.text()).length > 10_000],
    }
  } finally {
    await prisma.$disconnect()
  }
}
