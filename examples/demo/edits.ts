import { getAuditContext } from 'prisma-extension-audit'
import type { Atlas } from './atlas.ts'
import type { Edit, Person } from './request.ts'

const amara: Person = {
  actor: { id: 'amara', type: 'user', email: 'amara@atlas.example' },
  ip: '203.0.113.24',
  userAgent: 'Mozilla/5.0 (Macintosh) Firefox/145.0',
  organizationId: 'atlas-editors',
}

const jonas: Person = {
  actor: { id: 'jonas', type: 'user', email: 'jonas@names.example' },
  ip: '2001:db8::17',
  userAgent: 'AtlasMobile/3.2 (Android 16)',
  organizationId: 'names-bureau',
}

/** Edits that stay. The calls are ordinary Prisma, and none of them knows about the log. */
export function goodEdits(prisma: Atlas): Edit[] {
  return [
    {
      by: amara,
      reason: 'The country asked to be called Cabo Verde in every language',
      work: () => prisma.country.update({ where: { code: 'CV' }, data: { name: 'Cabo Verde' } }),
    },
    {
      by: amara,
      reason: 'Colombo is the largest city of Sri Lanka, not its capital',
      work: () =>
        prisma.country.update({ where: { code: 'LK' }, data: { capitals: ['Sri Jayawardenepura Kotte'] } }),
    },
    {
      // Raw SQL is recorded row by row too. It writes every country, and the log has the ones that changed.
      by: jonas,
      reason: 'A misspelt demonym',
      work: () => prisma.$executeRaw`
        UPDATE countries SET demonym = replace(demonym, 'Cape Verdian', 'Cabo Verdean')`,
    },
    {
      by: jonas,
      reason: 'Kabuverdianu, which nearly everybody in Cabo Verde speaks, was missing',
      work: () =>
        prisma.country.update({
          where: { code: 'CV' },
          data: { languages: { create: { code: 'kea', name: 'Kabuverdianu' } } },
        }),
    },
    {
      by: jonas,
      reason: 'The language of Guernsey is nrf in ISO 639-3, and nfr is spoken in Ghana',
      work: () => mergeLanguages(prisma, 'nfr', 'nrf'),
    },
  ]
}

/** Edits that come to nothing. The log must not say that they happened; it says who tried, and why it failed. */
export function badEdits(prisma: Atlas): Edit[] {
  return [
    {
      // The first half of the batch works, and goes when the second half finds its key taken.
      by: amara,
      reason: 'Atlantis, with a language of its own, under the code of Austria',
      fails: true,
      work: () =>
        prisma.$transaction([
          prisma.language.create({ data: { code: 'atl', name: 'Atlantean' } }),
          prisma.country.create({
            data: {
              code: 'AT',
              name: 'Atlantis',
              official: 'Atlantis',
              demonym: 'Atlantean',
              region: 'Ocean',
            },
          }),
        ]),
    },
    {
      by: jonas,
      reason: 'Without Europe the atlas would be easier to maintain',
      fails: true,
      work: () =>
        prisma.$transaction(async (transaction) => {
          await transaction.country.deleteMany({ where: { region: 'Europe' } })
          const requestId = getAuditContext()?.requestId ?? null
          const count = await transaction.auditLog.count({ where: { requestId } })
          throw new Error(`Second thoughts: the deletion is rolled back, and its ${count} entries with it`)
        }),
    },
    {
      // The demo is connected as a superuser who owns the table. That does not help.
      by: jonas,
      reason: 'Let it look as if the importer had done it',
      fails: true,
      work: () => prisma.$executeRaw`UPDATE audit_logs SET actor_id = 'importer' WHERE actor_id = 'jonas'`,
    },
    {
      by: jonas,
      reason: 'Then away with the whole log',
      fails: true,
      work: () => prisma.$executeRaw`TRUNCATE audit_logs`,
    },
  ]
}

/**
 * Makes one language of two. No call here removes the links and names of the old one: the database's foreign keys
 * do, ON DELETE CASCADE, and the log has that as well.
 */
async function mergeLanguages(prisma: Atlas, from: string, into: string): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const { countries, names } = await transaction.language.findUniqueOrThrow({
      where: { code: from },
      include: { countries: true, names: true },
    })
    await transaction.language.update({
      where: { code: into },
      data: {
        countries: { connect: countries.map(({ code }) => ({ code })) },
        names: { create: names.map(({ countryCode, name, official }) => ({ countryCode, name, official })) },
      },
    })
    await transaction.language.delete({ where: { code: from } })
  })
}
