import { describe, expect, it } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import type { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { steps } from '../support/entries.ts'
import { unique } from '../support/unique.ts'
import { createPost } from './posts.ts'

const db = await createDatabase()
const audited = (options: AuditOptions<PrismaClient>) => withAudit(createClient(db.url), options)
const plain = createClient(db.url)

describe('models', () => {
  it('are all recorded by default, and the log itself never is', async () => {
    const prisma = audited({})
    const entries = await db.changesOf(async () => {
      await prisma.tag.create({ data: { name: unique('tag') } })
      await prisma.auditLog.create({
        data: {
          id: crypto.randomUUID(),
          action: 'own.entry',
          actorId: 'x',
          actorType: 'user',
          resourceType: 'own',
        },
      })
      await prisma.$executeRaw`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
        VALUES (gen_random_uuid(), 'own.raw', 'x', 'user', 'own')`
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create', 'own.entry', 'own.raw'])
  })

  it('records a table that no model knows under its own name, with its column names', async () => {
    await db.sql('CREATE TABLE no_model (id int PRIMARY KEY, some_text text)')
    const prisma = audited({})
    const entries = await db.changesOf(() => prisma.$executeRaw`INSERT INTO no_model VALUES (1, 'x')`)
    expect(entries.map(({ action, resource_id, details }) => [action, resource_id, details.after])).toEqual([
      ['no_model.create', '1', { id: 1, some_text: 'x' }],
    ])
  })

  it('include: only these, and no table without a model', async () => {
    await db.sql('CREATE TABLE IF NOT EXISTS neither (id int)')
    const prisma = audited({ models: { include: ['Tag'] } })
    const entries = await db.changesOf(async () => {
      await prisma.category.create({ data: { name: 'c' } })
      await prisma.tag.create({ data: { name: unique('tag') } })
      await prisma.$executeRaw`INSERT INTO neither VALUES (1)`
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create'])
  })

  it('include with an empty list records nothing', async () => {
    const prisma = audited({ models: { include: [] } })
    expect(await db.changesOf(() => prisma.tag.create({ data: { name: unique('tag') } }))).toEqual([])
  })

  it('exclude: all but these', async () => {
    const prisma = audited({ models: { exclude: ['Tag', 'Country'] } })
    const entries = await db.changesOf(async () => {
      await prisma.tag.create({ data: { name: unique('tag') } })
      await prisma.tag.updateMany({ data: { name: 'x' }, where: { id: -1 } })
      await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${unique('tag')})`
      await prisma.category.create({ data: { name: 'c' } })
    })
    expect(entries.map((entry) => entry.action)).toEqual(['category.create'])
  })

  it('an excluded side of a link has no entry, and the other side has', async () => {
    const { post, tag } = await createPost(plain)
    const run = (options: AuditOptions<PrismaClient>) =>
      db.changesOf(async () => {
        const prisma = audited(options)
        await prisma.post.update({ where: { id: post.id }, data: { tags: { disconnect: { id: tag.id } } } })
        await prisma.post.update({ where: { id: post.id }, data: { tags: { connect: { id: tag.id } } } })
      })
    expect(steps(await run({ models: { exclude: ['Tag'] } }))).toEqual([
      `post.disconnect ${post.id}`,
      `post.connect ${post.id}`,
    ])
    expect(steps(await run({ models: { include: ['Tag'] } }))).toEqual([
      `tag.disconnect ${tag.id}`,
      `tag.connect ${tag.id}`,
    ])
    expect(steps(await run({ models: { exclude: ['Tag', 'Post'] } }))).toEqual([])
  })

  it('an excluded model has no entry when a cascade reaches it', async () => {
    const { post, tag } = await createPost(plain)
    const prisma = audited({ models: { exclude: ['Comment'] } })
    const entries = await db.changesOf(() => prisma.post.delete({ where: { id: post.id } }))
    expect(steps(entries)).toEqual([
      `post.delete ${post.id}`,
      `post.disconnect ${post.id}`,
      `tag.disconnect ${tag.id}`,
    ])
  })

  it('a cascade from an excluded model has entries for the models it reaches, with its cause', async () => {
    const { post, tag, comment } = await createPost(plain)
    const prisma = audited({ models: { exclude: ['Post'] } })
    const entries = await db.changesOf(() => prisma.post.delete({ where: { id: post.id } }))
    expect(steps(entries).sort()).toEqual([`comment.delete ${comment.id}`, `tag.disconnect ${tag.id}`])
    expect(entries.map((entry) => entry.details.cause)).toEqual(['post.delete', 'post.delete'])
  })

  it('a cascade through an excluded model goes on behind it', async () => {
    await plain.warehouse.create({
      data: {
        code: 'through',
        city: 'Here',
        shelves: { create: { number: 1, boxes: { create: { content: 'books' } } } },
      },
    })
    const prisma = audited({ models: { exclude: ['Shelf'] } })
    const entries = await db.changesOf(() =>
      prisma.warehouse.update({ where: { code: 'through' }, data: { code: 'behind' } }),
    )
    expect(entries.map(({ action, details }) => [action, details.changed, details.cause ?? null])).toEqual([
      ['warehouse.update', ['code'], null],
      ['box.update', ['warehouseCode'], 'warehouse.update'],
    ])
  })
})
