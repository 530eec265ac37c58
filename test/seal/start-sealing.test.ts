import { sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { startSealing, withAudit } from '../../src/index.ts'
import { parseSigningKey } from '../../src/seal/keys.ts'
import { logOf, until, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { headOf, leavesOf, newKey, origin } from './seals.ts'

const database = await createDatabase()
const key = newKey()
const sealed = async () => (await leavesOf(database, logOf(database))).length

describe('startSealing', () => {
  it('seals what is there and what comes, until it is stopped', async () => {
    const seal = { key: { environment: key.environment }, origin, every: 10 }
    const prisma = withAudit(createClient(database.url), { seal })
    await write(database.pool, 'one')
    const sealing = await startSealing(prisma)
    await until(async () => (await sealed()) === 1, 'what is there should be sealed')
    await write(database.pool, 'two')
    await until(async () => (await sealed()) === 2, 'what came should be sealed')
    await sealing.stop()
    expect(sealing.metrics()).toEqual({
      ...{ entries: 2, checkpoints: 2, checkpoint: { number: 2, size: 2 }, failures: 0, lastError: null },
      anchors: {},
    })
  })

  it('asks a function for signatures, as a KMS needs it', async () => {
    const prisma = withAudit(createClient(database.url))
    const { privateKey } = parseSigningKey(key.privateKey)
    const asked: string[] = []
    const kms = {
      publicKey: key.publicKey,
      sign: async (message: Uint8Array) => {
        asked.push(Buffer.from(message).toString())
        return sign(null, message, privateKey)
      },
    }
    const sealing = await startSealing(prisma, { key: kms, origin, every: 10 })
    await write(database.pool, 'three')
    await until(async () => (await sealed()) === 3, 'it should be sealed')
    await sealing.stop()
    expect((await headOf(database)).note).toContain(`${asked[0]}\n— ${origin} `)
  })

  it('stores no checkpoint whose signature is another', async () => {
    const prisma = withAudit(createClient(database.url))
    const errors: string[] = []
    const sealing = await startSealing(prisma, {
      key: { publicKey: key.publicKey, sign: () => Buffer.alloc(64) },
      ...{ origin, every: 10, onError: ({ code }) => errors.push(code) },
    })
    await write(database.pool, 'four')
    await until(() => errors.length > 0, 'it should be reported')
    await sealing.stop()
    expect([errors[0], await sealed()]).toEqual(['AUDIT_INVALID_KEY', 3])
    expect(sealing.metrics()).toMatchObject({ failures: 1, lastError: { code: 'AUDIT_INVALID_KEY' } })
  })

  it('ends when the client disconnects', async () => {
    const prisma = withAudit(createClient(database.url))
    const sealing = await startSealing(prisma, { key: { environment: key.environment }, origin })
    await prisma.$disconnect()
    await sealing.stopped
  })

  it('is refused without a client that is audited, and without a key', async () => {
    const client = createClient(database.url)
    const options = { code: 'AUDIT_INVALID_OPTIONS' }
    const invalid = { code: 'AUDIT_INVALID_KEY' }
    await expect(startSealing(client)).rejects.toMatchObject(options)
    const prisma = withAudit(client)
    await expect(startSealing(prisma)).rejects.toMatchObject(options)
    await expect(startSealing(prisma, { key: { file: 'there/is/none' } })).rejects.toMatchObject(invalid)
    await expect(startSealing(prisma, { key: { environment: 'AUDIT_THERE_IS_NONE' } })).rejects.toMatchObject(
      invalid,
    )
  })
})
