import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('the client of an interactive transaction', () => {
  it('has an $audit of its own, also when it is nested or extended', async () => {
    await prisma.$transaction(async (tx) => {
      expect(tx.$audit).toBeDefined()
      expect(tx.$audit).not.toBe(prisma.$audit)
      expect('$audit' in tx).toBe(true)
      await tx.tag.create({ data: { name: 'in a transaction' } })
      const nested = tx as unknown as typeof prisma
      await nested.$transaction(async (inner) => {
        expect(inner.$audit).not.toBe(tx.$audit)
        await inner.tag.create({ data: { name: 'nested' } })
      })
    })
    const extended = prisma.$extends({ client: { hello: () => 'world' } })
    await extended.$transaction(async (tx) => {
      expect(tx.hello()).toBe('world')
      expect(tx.$audit).not.toBe(extended.$audit)
      await tx.tag.create({ data: { name: 'extended' } })
    })
    expect((await db.entries()).map((entry) => entry.details.after.name)).toEqual([
      'in a transaction',
      'nested',
      'extended',
    ])
  })
})
