import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { steps } from '../support/entries.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('a nested transaction', () => {
  it('that is rolled back leaves no entry; the outer one and its other ones do', async () => {
    const [outer, lost, kept, last] = ['outer', 'lost', 'kept', 'last'].map(unique) as [
      string,
      string,
      string,
      string,
    ]
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { name: outer } })
        const inner = tx.$transaction(async (nested) => {
          await nested.tag.create({ data: { name: lost } })
          throw new Error('only the inner one')
        })
        await expect(inner).rejects.toThrow('only the inner one')
        await tx.$transaction((nested) => nested.tag.create({ data: { name: kept } }))
        await tx.tag.create({ data: { name: last } })
      }),
    )
    expect(entries.map((entry) => entry.details.after.name)).toEqual([outer, kept, last])
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
    expect(await prisma.tag.count({ where: { name: lost } })).toBe(0)
  })

  it('that fails in the database leaves the outer one usable', async () => {
    const name = unique('tag')
    const after = unique('tag')
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { name } })
        const inner = tx.$transaction((nested) => nested.tag.create({ data: { name } }))
        await expect(inner).rejects.toMatchObject({ code: 'P2002' })
        await tx.tag.create({ data: { name: after } })
      }),
    )
    expect(entries.map((entry) => entry.details.after.name)).toEqual([name, after])
  })

  it('is undone with the outer one, two levels deep', async () => {
    const entries = await db.changesOf(async () => {
      const running = prisma.$transaction(async (tx) => {
        await tx.$transaction(async (nested) => {
          await nested.tag.create({ data: { name: unique('tag') } })
          await nested.$transaction((deepest) => deepest.tag.create({ data: { name: unique('tag') } }))
        })
        throw new Error('all of it')
      })
      await expect(running).rejects.toThrow('all of it')
    })
    expect(entries).toEqual([])
  })

  it('records an upsert and a delete with cascades, which take a savepoint of their own', async () => {
    const user = await prisma.user.create({
      data: { email: unique('nested@'), profile: { create: { bio: 'short' } } },
      include: { profile: true },
    })
    const name = unique('tag')
    const { id } = await prisma.tag.create({ data: { name } })
    const entries = await db.changesOf(() =>
      prisma.$transaction((tx) =>
        tx.$transaction(async (nested) => {
          await nested.tag.upsert({ where: { name }, create: { name }, update: { name: `${name}!` } })
          await nested.user.delete({ where: { id: user.id } })
        }),
      ),
    )
    expect(steps(entries)).toEqual([
      `tag.update ${id}`,
      `user.delete ${user.id}`,
      `profile.delete ${user.profile?.id}`,
    ])
  })
})
