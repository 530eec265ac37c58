import { PrismaPg } from '@prisma/adapter-pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { actions } from '../support/entries.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const ada = { id: 'ada', type: 'user' } as const

describe('clients that share an adapter factory', () => {
  it('an unaudited one writes nothing to the log, the audited one does, in whatever order they come', async () => {
    const adapter = new PrismaPg({ connectionString: db.url })
    const plain = new PrismaClient({ adapter })
    const prisma = withAudit(new PrismaClient({ adapter }))
    const late = new PrismaClient({ adapter })
    onTestFinished(async () => {
      await Promise.all([plain.$disconnect(), prisma.$disconnect(), late.$disconnect()])
    })
    const entries = await db.changesOf(async () => {
      await createTag(plain)
      await createTag(prisma)
      await createTag(late)
      await late.$executeRaw`TRUNCATE "Reading"`
      await withAuditContext({ actor: ada }, () => createTag(plain))
    })
    expect(actions(entries)).toEqual(['tag.create'])
  })

  it('the base client of an audited one stays unaudited', async () => {
    const base = createClient(db.url)
    const prisma = withAudit(base)
    const entries = await db.changesOf(async () => {
      await createTag(base)
      await createTag(prisma)
      await base.$transaction([createTag(base)])
    })
    expect(actions(entries)).toEqual(['tag.create'])
  })

  it('an unaudited one that works at the same time takes no entry away, and gets none', async () => {
    const base = createClient(db.url)
    const prisma = withAudit(base)
    const audited = unique('audited')
    const entries = await db.changesOf(async () => {
      for (let round = 0; round < 10; round++) {
        const others = Array.from({ length: 30 }, async (_, delay) => {
          for (let turn = 0; turn < delay; turn++) await null
          if (delay % 10 === 9) await base.$transaction([createTag(base)])
          else await base.tag.findUnique({ where: { id: delay } })
        })
        await Promise.all([
          ...others,
          prisma.$transaction([createTag(prisma, `${audited} batch ${round}`)]),
          prisma.$transaction(async (tx) => {
            await Promise.all([
              base.tag.findUnique({ where: { id: 1 } }),
              createTag(tx, `${audited} itx ${round}`),
            ])
          }),
          createTag(prisma, `${audited} plain ${round}`),
        ])
      }
    })
    expect(entries.map((entry) => entry.details.after.name).sort()).toEqual(
      ['batch', 'itx', 'plain'].flatMap((kind) =>
        Array.from({ length: 10 }, (_, round) => `${audited} ${kind} ${round}`),
      ),
    )
  })

  it('audited ones have their own options', async () => {
    const adapter = new PrismaPg({ connectionString: db.url })
    const [one, two] = [
      withAudit(new PrismaClient({ adapter }), {
        redact: { Tag: ['name'] },
        actor: { id: 'one', type: 'system' },
      }),
      withAudit(new PrismaClient({ adapter }), { models: { exclude: ['Category'] }, requireActor: true }),
    ] as const
    onTestFinished(async () => {
      await Promise.all([one.$disconnect(), two.$disconnect()])
    })
    const name = unique('shared')
    const entries = await db.changesOf(async () => {
      await createTag(one)
      await one.category.create({ data: { name: 'c' } })
      await expect(createTag(two)).rejects.toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
      await withAuditContext({ actor: ada }, () => createTag(two, name))
      await two.category.create({ data: { name: 'c' } })
    })
    expect(entries.map(({ action, actor_id, details }) => [action, actor_id, details.after.name])).toEqual([
      ['tag.create', 'one', '[redacted]'],
      ['category.create', 'one', 'c'],
      ['tag.create', 'ada', name],
    ])
  })
})
