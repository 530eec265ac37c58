import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('promises that nobody awaits where they are made', () => {
  const actor = { id: 'ada', type: 'user' } as const

  it('run in the context whose function returns them', async () => {
    const entries = await db.changesOf(async () => {
      await withAuditContext({ actor }, () => prisma.tag.create({ data: { name: unique('tag') } }))
      await withAuditContext({ actor }, () =>
        Promise.all([prisma.tag.create({ data: { name: unique('tag') } })]),
      )
      await withAuditContext({ actor }, () =>
        prisma.$transaction([prisma.tag.create({ data: { name: unique('tag') } })]),
      )
      await withAuditContext({ actor }, () =>
        prisma.$transaction((tx) => tx.tag.create({ data: { name: unique('tag') } })),
      )
      await withAuditContext(
        { actor },
        () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${unique('tag')})`,
      )
    })
    expect(entries.map((entry) => entry.actor_id)).toEqual(['ada', 'ada', 'ada', 'ada', 'ada'])
  })

  it('run once, and only when somebody asks', async () => {
    const name = unique('tag')
    const entries = await db.changesOf(async () => {
      const lazy = prisma.tag.create({ data: { name } })
      await sleep(50)
      expect(await db.sql('SELECT FROM "Tag" WHERE name = $1', [name])).toEqual([])
      await lazy
      await expect(lazy).resolves.toMatchObject({ name })
    })
    expect(entries).toHaveLength(1)
  })
})
