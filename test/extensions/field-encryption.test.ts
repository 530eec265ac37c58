import { randomBytes } from 'node:crypto'
import { fieldEncryptionExtension } from 'prisma-field-encryption'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PrismaClient } from '../generated/extensions/client/client.ts'
import { connect, createStacks, dmmf, orders, tablesForExtensions } from './stacks.ts'

/**
 * prisma-field-encryption 1.6.0 encrypts what goes into fields that are marked so, and decrypts what comes out. Entries
 * are made in the database, of what is stored there: the ciphertext.
 */
const encryptionKey = `k1.aesgcm256.${randomBytes(32).toString('base64url')}=`
const setUp = await tablesForExtensions()
const secrets = ['123-45-6789', '987-65-4321', 'a sad diagnosis']
const [ssn, otherSsn, diagnosis] = secrets as [string, string, string]

it('finds no schema on Prisma 7 by itself: it has to be given the DMMF', () => {
  expect(() => fieldEncryptionExtension({ encryptionKey })).toThrow()
})

for (const order of orders) {
  describe(`field encryption ${order} withAudit`, async () => {
    const extend = (client: PrismaClient) =>
      client.$extends(fieldEncryptionExtension({ encryptionKey, dmmf })) as unknown as PrismaClient
    const options = { setUp, reads: ['Patient' as const, 'Note' as const] }
    const { db, prisma, recordedBy } = await createStacks(order, connect, extend, options)

    const stored = async (table: 'Patient' | 'Note') => {
      const [row] = await db.sql<Record<string, string>>(`SELECT * FROM "${table}"`)
      return row ?? {}
    }
    const create = () =>
      recordedBy((client) =>
        client.patient.create({ data: { ssn, ward: 'A', notes: { create: { text: diagnosis } } } }),
      )

    beforeEach(async () => {
      await recordedBy((client) => client.$executeRaw`TRUNCATE "Patient", "Note" RESTART IDENTITY`)
    })

    it('the log has what the table has, at any depth of writes, and the caller gets what it gave', async () => {
      const entries = await create()
      const [patient, note] = [await stored('Patient'), await stored('Note')]
      expect(entries).toEqual([
        { action: 'patient.create', id: '1', after: patient, operation: 'create' },
        { action: 'note.create', id: '1', after: note, operation: 'create' },
      ])
      for (const text of [patient.ssn, note.text]) expect(text).toMatch(/^v1\.aesgcm256\./)
      expect(await prisma.patient.findFirst({ include: { notes: true } })).toEqual({
        ...{ id: 1, ssn, ssnHash: patient.ssnHash, ward: 'A' },
        notes: [{ id: 1, text: diagnosis, patientId: 1 }],
      })
    })

    it('an update in a transaction tells the fields that changed', async () => {
      await create()
      const before = await stored('Patient')
      const entries = await recordedBy((client) =>
        client.$transaction((tx) => tx.patient.update({ where: { ssn } as never, data: { ssn: otherSsn } })),
      )
      const after = await stored('Patient')
      expect(entries).toEqual([
        {
          action: 'patient.update',
          id: '1',
          before,
          after,
          changed: ['ssn', 'ssnHash'],
          operation: 'update',
        },
      ])
    })

    it('nothing in the log is the plain text: entries, failures, reads', async () => {
      await create()
      const calls: ((client: PrismaClient) => PromiseLike<unknown>)[] = [
        (client) => client.patient.create({ data: { ssn } }),
        (client) => client.patient.update({ where: { ssn: otherSsn } as never, data: { ward: 'B' } }),
        (client) => client.patient.findMany({ where: { ssn }, include: { notes: true } }),
        (client) => client.note.create({ data: { text: diagnosis, patientId: 404 } }),
      ]
      for (const call of calls) expect(await recordedBy(call)).not.toEqual([])
      const log = JSON.stringify(await db.entries())
      for (const secret of secrets) expect(log).not.toContain(secret)
    })

    it('stateAt gives the ciphertext, and revert puts that back: it reads as it did', async () => {
      await create()
      const before = await stored('Patient')
      const update = { where: { id: 1 }, data: { ssn: otherSsn } }
      await recordedBy((client) => client.patient.update(update))
      const { entries } = await prisma.$audit.search({ action: 'patient.update' }, { limit: 1 })
      const since = new Date((entries[0]?.timestamp.getTime() ?? 0) - 1)
      expect(await prisma.$audit.stateAt('Patient', 1, since)).toEqual(before)
      await prisma.$audit.revert(entries[0]?.id ?? '')
      expect(await stored('Patient')).toEqual(before)
      expect(await prisma.patient.findUnique({ where: { ssn } as never })).toMatchObject({ ssn })
    })

    it('a deleted record is created again as it was', async () => {
      await create()
      const before = await stored('Patient')
      await recordedBy((client) => client.patient.delete({ where: { id: 1 } }))
      const { entries } = await prisma.$audit.search({ action: 'patient.delete' }, { limit: 1 })
      expect(entries[0]?.before).toEqual(before)
      await prisma.$transaction((tx) => (tx as unknown as typeof prisma).$audit.revert(entries[0]?.id ?? ''))
      expect(await stored('Patient')).toEqual(before)
      expect(await prisma.patient.findFirst()).toMatchObject({ ssn })
    })
  })
}
