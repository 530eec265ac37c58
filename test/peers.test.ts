import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { contenders } from '../bench/peers/contenders.ts'
import { type Entrant, enter } from '../bench/peers/database.ts'
import { isExact } from '../bench/peers/exact.ts'
import { installTruth, readTruth } from '../bench/peers/truth.ts'
import { outcome } from './support/outcome.ts'

/** What `bench/peers/limits.ts` says of the contenders, done once by each. */
const operations: Record<string, (client: Entrant['client']) => Promise<unknown>> = {
  async 'a create, an update and a delete'(client) {
    const { id } = await client.author.create({ data: { name: 'Ada', email: 'ada@example.com' } })
    await client.author.update({ where: { id }, data: { name: 'Ada L.' } })
    await client.author.delete({ where: { id } })
  },
  'a nested create': (client) =>
    client.author.create({
      data: { name: 'Bea', email: 'bea@example.com', profile: { create: { bio: 'writes' } } },
    }),
  'a nested update': (client) =>
    client.author.update({
      where: { email: 'bea@example.com' },
      data: { profile: { update: { bio: 'writes and reads' } } },
    }),
  'a cascade': (client) => client.author.delete({ where: { email: 'bea@example.com' } }),
  'raw SQL': (client) => client.$executeRaw`UPDATE "Tag" SET name = 'renamed'`,
  'a list': (client) => client.labelled.create({ data: { name: 'crate', labels: ['heavy', 'blue'] } }),
  'a link': (client) =>
    client.post.update({ where: { id: 'post' }, data: { tags: { connect: { id: 'tag' } } } }),
  'a transaction that is rolled back': (client) =>
    outcome(() =>
      client.$transaction(async (tx) => {
        await tx.tag.create({ data: { name: 'never' } })
        throw new Error('no')
      }),
    ),
}

const fromArguments = [
  'a nested update',
  'a cascade',
  'raw SQL',
  'a link',
  'a transaction that is rolled back',
]
const notRecorded: Record<string, readonly string[]> = {
  'prisma-extension-audit': [],
  'prisma-extension-audit, named statements': [],
  'prisma-extension-audit with triggers': [],
  'prisma-extension-audit with triggers, named statements': [],
  'row triggers with the same entry': [],
  'row triggers': [],
  'read, write, insert by hand': ['a nested create', ...fromArguments],
  '@explita/prisma-audit-log': ['a nested create', ...fromArguments],
  'prisma-audit': ['a list', ...fromArguments],
  'prisma-audit, triggers': ['a list', 'a link', 'a transaction that is rolled back'],
}

/** Their extensions never do the call of the batch, which Prisma waits for. */
const stuckInBatches = ['read, write, insert by hand', 'prisma-audit', 'prisma-audit, triggers']

describe.each(contenders.filter(({ log }) => log.tables.length > 0))('the contender $name', (contender) => {
  let entrant: Entrant
  beforeAll(async () => {
    entrant = await enter(inject('serverUrl'), contender, {
      prepare: async (pool, { log }) => {
        await pool.query(
          `INSERT INTO "Tag" VALUES ('tag', 'tag'); INSERT INTO "Post" (id, title) VALUES ('post', 'Post')`,
        )
        await installTruth(pool, log.tables)
      },
    })
  })
  const isStuck = stuckInBatches.includes(contender.name)
  afterAll(() => (isStuck ? entrant.abandon() : entrant.leave()))

  it('records exactly what its description says', async () => {
    const missed: string[] = []
    const known = new Set((await contender.log.read(entrant.pool)).map(({ key }) => key))
    for (const [name, operation] of Object.entries(operations)) {
      await entrant.pool.query('TRUNCATE oracle.change')
      await operation(entrant.client)
      const entries = (await contender.log.read(entrant.pool)).filter(({ key }) => !known.has(key))
      for (const { key } of entries) known.add(key)
      const truth = await readTruth(entrant.pool)
      const isRolledBack = name.includes('rolled back')
      if (!isExact(truth, entries, contender.log) || (isRolledBack && truth.length > 0)) missed.push(name)
    }
    expect(missed.sort()).toEqual(notRecorded[contender.name]?.toSorted())
  })

  it('comes back, or does not, from a batch of a write and a read', async () => {
    const { client } = entrant
    const batch = client.$transaction([
      client.tag.update({ where: { id: 'tag' }, data: { name: 'again' } }),
      client.tag.count({ where: { name: 'again' } }),
    ])
    const answer = await Promise.race([batch, sleep(isStuck ? 2_000 : 60_000, 'never')])
    expect(answer).toEqual(isStuck ? 'never' : [{ id: 'tag', name: 'again' }, 1])
  })
})
