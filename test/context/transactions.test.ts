import { describe, expect, it } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'
import { ada } from './contexts.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

describe('in transactions', () => {
  it('a context around an interactive transaction is on every entry', async () => {
    const entries = await db.changesOf(() =>
      withAuditContext({ actor: ada, requestId: 'tx' }, () =>
        prisma.$transaction(async (tx) => {
          await createTag(tx)
          await tx.$transaction((nested) => createTag(nested))
          await tx.$executeRaw`INSERT INTO "Tag" (name) VALUES (${unique('raw')})`
        }),
      ),
    )
    expect(entries.map((entry) => [entry.actor_id, entry.request_id])).toEqual(
      Array.from({ length: 3 }, () => ['ada', 'tx']),
    )
  })

  it('a context inside an interactive transaction is on the entries inside it', async () => {
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await createTag(tx)
        await withAuditContext({ actor: ada }, () => createTag(tx))
        await createTag(tx)
      }),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['system', 'ada', 'system'])
  })

  it('a context around a batch is on every entry', async () => {
    const entries = await db.changesOf(() =>
      withAuditContext({ actor: ada }, () => prisma.$transaction([createTag(prisma), createTag(prisma)])),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['ada', 'ada'])
  })

  it('a batch of calls made in a context, run in another, has the one in which it runs', async () => {
    const entries = await db.changesOf(async () => {
      const calls = withAuditContext({ actor: ada }, () => [createTag(prisma), createTag(prisma)])
      await withAuditContext({ actor: { id: 'eda', type: 'user' } }, () => prisma.$transaction(calls))
    })
    expect(entries.map((entry) => entry.actor_id)).toEqual(['eda', 'eda'])
  })

  it('does not mix batches and transactions that run at the same time', async () => {
    const entries = await db.changesOf(() =>
      Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          withAuditContext({ actor: { id: `mixed ${index}`, type: 'user' } }, () => {
            const create = (tx: Pick<typeof prisma, 'tag'>, kind: string) =>
              tx.tag.create({ data: { name: `mixed ${index} ${kind}` } })
            return Promise.all([
              prisma.$transaction([create(prisma, 'first'), create(prisma, 'second')]),
              prisma.$transaction(
                async (tx) => {
                  await create(tx, 'third')
                  await create(tx, 'fourth')
                },
                { maxWait: 20_000 },
              ),
            ])
          }),
        ),
      ),
    )
    expect(entries).toHaveLength(80)
    for (const entry of entries) expect(entry.details.after.name).toMatch(new RegExp(`^${entry.actor_id} `))
  })

  // Prisma dispatches calls of transactions and findUnique together, in the async context of whichever came first
  it.each([
    [
      'a batch',
      async (name: string) => {
        await prisma.$transaction([prisma.tag.create({ data: { name } })])
      },
    ],
    [
      'an interactive transaction',
      async (name: string) => {
        await prisma.$transaction(async (tx) => {
          await Promise.all([
            withAuditContext({ actor: { id: 'reader', type: 'user' } }, () =>
              tx.tag.findUnique({ where: { id: 0 } }),
            ),
            tx.tag.create({ data: { name } }),
            withAuditContext({ actor: { id: 'reader', type: 'user' } }, () =>
              prisma.tag.findUnique({ where: { id: 0 } }),
            ),
          ])
        })
      },
    ],
  ])('%s keeps its context while others read by id at the same time', async (_, write) => {
    const entries = await db.changesOf(async () => {
      for (let round = 0; round < 20; round++) {
        const reading = Array.from({ length: 40 }, (_, delay) =>
          withAuditContext({ actor: { id: 'reader', type: 'user' } }, async () => {
            for (let turn = 0; turn < delay; turn++) await null
            await prisma.tag.findUnique({ where: { id: 0 } })
          }),
        )
        await Promise.all([...reading, withAuditContext({ actor: ada }, () => write(unique('tag')))])
      }
    })
    expect(entries.map((entry) => [entry.actor_id, entry.details.operation])).toEqual(
      Array.from({ length: 20 }, () => ['ada', 'create']),
    )
  })

  it('a nested write has the context on every entry, cascades too', async () => {
    const entries = await db.changesOf(() =>
      withAuditContext({ actor: ada, metadata: { cascade: true } }, async () => {
        const { id } = await prisma.category.create({
          data: { name: 'root', children: { create: { name: 'leaf' } } },
        })
        await prisma.category.delete({ where: { id } })
      }),
    )
    expect(entries.map(({ action, actor_id, details }) => [action, actor_id, details.metadata])).toEqual([
      ['category.create', 'ada', { cascade: true }],
      ['category.create', 'ada', { cascade: true }],
      ['category.delete', 'ada', { cascade: true }],
      ['category.delete', 'ada', { cascade: true }],
    ])
  })
})
