import { readFile } from 'node:fs/promises'
import { expect, it, vi } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { watchTables } from '../support/watch.ts'

/** Loading takes a process time and memory. */
const loaded = vi.hoisted(() => ({ parser: 0 }))
vi.mock('libpg-query', async (original) => {
  loaded.parser++
  return await original()
})

const db = await createDatabase()
await watchTables(db, await readFile('test/prisma/schema.prisma', 'utf8'), 'all')
const prisma = withAudit(createClient(db.url))

it("PostgreSQL's parser is not loaded for Prisma's own statements on tables that triggers record", async () => {
  const since = await db.lastSeq()
  await prisma.user.create({ data: { email: 'ada@x.org', posts: { create: [{ id: 'p1', title: 'one' }] } } })
  await prisma.tag.createMany({ data: Array.from({ length: 500 }, (_, n) => ({ id: n + 1, name: `t${n}` })) })
  await prisma.tag.updateManyAndReturn({ where: { id: { in: [1, 600] } }, data: { name: 'x' } })
  await prisma.country.upsert({
    where: { code: 'CH' },
    create: { code: 'CH', name: 'Switzerland', population: 9 },
    update: { population: { increment: 1 } },
  })
  await prisma.$transaction(async (tx) => {
    await tx.country.update({ where: { code: 'CH' }, data: { name: 'Suisse' } })
    await tx.country.deleteMany({ where: { OR: [{ code: 'CH' }, { population: { gt: 100 } }] } })
  })
  await prisma.post.delete({ where: { id: 'p1' } })

  const entries = await db.entries(since)
  const actions = new Set(entries.map(({ action }) => action))
  expect([...actions].sort()).toEqual([
    ...[
      'country.create',
      'country.delete',
      'country.update',
      'post.create',
      'post.delete',
      'tag.create',
      'tag.update',
    ],
    'user.create',
  ])
  expect(entries).toHaveLength(507)
  expect(loaded.parser).toBe(0)
})

it('is loaded for any other statement', async () => {
  await prisma.$executeRaw`UPDATE "Tag" SET name = 'raw' WHERE id = 1`
  expect(loaded.parser).toBe(1)
})
