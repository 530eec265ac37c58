import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { unique } from '../support/unique.ts'
import { clientWithOneConnection } from './clients.ts'

const db = await createDatabase()

describe('a pool of one connection', () => {
  const kinds: Record<string, (client: ReturnType<typeof clientWithOneConnection>) => Promise<unknown>> = {
    'a plain call': async (client) => client.tag.create({ data: { name: unique('one') } }),
    'a nested write': async (client) =>
      client.user.create({
        data: {
          email: unique('one@'),
          posts: { create: { title: 'one', tags: { create: { name: unique('one') } } } },
        },
      }),
    'a batch': (client) =>
      client.$transaction([
        client.tag.create({ data: { name: unique('one') } }),
        client.tag.create({ data: { name: unique('one') } }),
      ]),
    'an interactive transaction': (client) =>
      client.$transaction(async (tx) => {
        await tx.tag.create({ data: { name: unique('one') } })
        await tx.tag.updateMany({ where: { name: 'no such tag' }, data: { name: 'x' } })
      }),
    'a nested transaction': (client) =>
      client.$transaction((tx) =>
        tx.$transaction((nested) => nested.tag.create({ data: { name: unique('one') } })),
      ),
    'an upsert': async (client) => {
      const name = unique('one')
      return client.tag.upsert({ where: { name }, create: { name }, update: {} })
    },
    'a delete with cascades': async (client) => {
      const { id } = await client.category.create({
        data: {
          name: 'root',
          children: { create: { name: 'child', children: { create: { name: 'leaf' } } } },
        },
      })
      await client.category.delete({ where: { id } })
    },
    'raw SQL': async (client) => client.$executeRaw`INSERT INTO "Tag" (name) VALUES (${unique('one')})`,
    'raw SQL that cannot be captured': async (client) => client.$executeRaw`TRUNCATE "Reading"`,
  }

  it.each(Object.keys(kinds))('is enough for %s, also as the first call', async (kind) => {
    const client = clientWithOneConnection(db)
    await kinds[kind]?.(client)
    await kinds[kind]?.(client)
  })

  it.each(Object.keys(kinds))('is enough for 20 of them at the same time: %s', async (kind) => {
    const client = clientWithOneConnection(db)
    // Prisma waits 2 seconds for a connection before it gives a transaction up
    await Promise.all(Array.from({ length: 20 }, () => kinds[kind]?.(client)))
  })

  it('is enough for all of them mixed', async () => {
    const client = clientWithOneConnection(db)
    await Promise.all(Object.values(kinds).flatMap((run) => [run(client), run(client)]))
  })

  it('is enough where the first plain call waits for the connection of a transaction', async () => {
    const client = clientWithOneConnection(db)
    const entries = await db.changesOf(async () => {
      let waiting: Promise<unknown> | undefined
      await client.$transaction(async (tx) => {
        waiting = client.tag.create({ data: { name: unique('plain') } }).then()
        await sleep(100)
        await tx.tag.create({ data: { name: unique('inside') } })
      })
      await waiting
    })
    expect(entries.map((entry) => entry.action)).toEqual(['tag.create', 'tag.create'])
  })

  it('is enough where every connection of a pool of three is inside a transaction', async () => {
    const client = withAudit(createClient(db.url, { max: 3, connectionTimeoutMillis: 5_000 }))
    const entries = await db.changesOf(() =>
      Promise.all(
        Array.from({ length: 12 }, () =>
          client.$transaction(async (tx) => {
            await tx.tag.create({ data: { name: unique('three') } })
            await tx.category.create({ data: { name: 'three', children: { create: { name: 'child' } } } })
          }),
        ),
      ),
    )
    expect(entries).toHaveLength(36)
  })
})
