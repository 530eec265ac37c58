import { describe, expect, it } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { createPost, createUser } from './posts.ts'

const db = await createDatabase()
const audited = (options: AuditOptions<PrismaClient>) => withAudit(createClient(db.url), options)
const plain = createClient(db.url)

describe('ignore', () => {
  it('writes no entry when only ignored fields changed', async () => {
    const prisma = audited({ ignore: { User: ['loginCount', 'updatedAt'] } })
    const { id } = await createUser(plain)
    const entries = await db.changesOf(async () => {
      await prisma.user.update({ where: { id }, data: { loginCount: { increment: 1 } } })
      await prisma.user.updateMany({ where: { id }, data: { loginCount: 9 } })
      await prisma.$executeRaw`UPDATE users SET login_count = 10, updated_at = now() WHERE id = ${id}`
    })
    expect(entries).toEqual([])
    expect((await plain.user.findUniqueOrThrow({ where: { id } })).loginCount).toBe(10)
  })

  it('never lists them in changed, and shows their values where something else changed', async () => {
    const prisma = audited({ ignore: { '*': ['updatedAt'], User: ['loginCount'] } })
    const { id } = await createUser(plain)
    const [entry] = await db.changesOf(() =>
      prisma.user.update({ where: { id }, data: { name: 'changed', loginCount: 5 } }),
    )
    expect(entry?.details.changed).toEqual(['name'])
    expect([entry?.details.before.loginCount, entry?.details.after.loginCount]).toEqual([0, 5])
  })

  it('still records creates and deletes of the record', async () => {
    const prisma = audited({ ignore: { Tag: ['name'] } })
    const name = unique('tag')
    const entries = await db.changesOf(async () => {
      await prisma.tag.create({ data: { name } })
      await prisma.tag.update({ where: { name }, data: { name: `${name}!` } })
      await prisma.tag.delete({ where: { name: `${name}!` } })
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create', 'tag.delete'])
  })

  it('holds for upserts, and for tables with a BEFORE UPDATE trigger', async () => {
    const prisma = audited({ ignore: { Translation: ['revision'], Stamped: ['stampedAt'] } })
    const key = unique('ignore')
    const upsert = () =>
      prisma.translation.upsert({
        where: { key_language: { key, language: 'en' } },
        create: { key, language: 'en', text: key },
        update: { revision: { increment: 1 } },
      })
    const { id } = await plain.stamped.create({ data: {} })
    const entries = await db.changesOf(async () => {
      await upsert()
      await upsert()
      await prisma.stamped.update({ where: { id }, data: { counter: 0 } })
      await prisma.stamped.update({ where: { id }, data: { counter: 1 } })
    })
    expect(entries.map(({ action, details }) => [action, details.changed ?? null])).toEqual([
      ['translation.create', null],
      ['stamped.update', ['counter']],
    ])
  })

  it('holds for rows that referential actions reach', async () => {
    const { user } = await createPost(plain)
    const prisma = audited({ ignore: { Post: ['authorId'] } })
    const entries = await db.changesOf(() => prisma.user.delete({ where: { id: user.id } }))
    expect(entries.map((entry) => entry.action)).toEqual(['user.delete'])
  })
})

describe('snapshot', () => {
  it("'changed' keeps the changed fields of an update, and whole rows of creates and deletes", async () => {
    const prisma = audited({ snapshot: 'changed', ignore: { '*': ['updatedAt'] } })
    const entries = await db.changesOf(async () => {
      await prisma.country.create({ data: { code: 'SA', name: 's', population: 1n } })
      await prisma.country.update({ where: { code: 'SA' }, data: { name: 't', population: 1n } })
      await prisma.country.update({ where: { code: 'SA' }, data: { name: 't' } })
      await prisma.country.delete({ where: { code: 'SA' } })
    })
    expect(entries.map((entry) => entry.details)).toEqual([
      { operation: 'create', after: { code: 'SA', name: 's', population: '1' } },
      { operation: 'update', before: { name: 's' }, after: { name: 't' }, changed: ['name'] },
      { operation: 'delete', before: { code: 'SA', name: 't', population: '1' } },
    ])
  })

  it("'changed' holds for rows that referential actions reach", async () => {
    const { user, post } = await createPost(plain)
    const prisma = audited({ snapshot: 'changed' })
    const entries = await db.changesOf(() => prisma.user.delete({ where: { id: user.id } }))
    expect(entries.find((entry) => entry.resource_id === post.id)?.details).toEqual({
      operation: 'delete',
      cause: 'user.delete',
      before: { authorId: user.id },
      after: { authorId: null },
      changed: ['authorId'],
    })
  })
})
