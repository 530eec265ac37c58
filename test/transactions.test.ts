import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { AuditError, withAudit, withAuditContext } from '../src/index.ts'
import type { Prisma } from './generated/client/client.ts'
import { createClient, createDatabase, type Entry } from './support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

/** The entries of what `work` changed, whether it fails or not. What failed has entries of its own: log/failures.test.ts. */
async function entriesOf(work: () => PromiseLike<unknown>): Promise<Entry[]> {
  const since = await db.lastSeq()
  await work()
  return db.changes(since)
}

/** What happened to which record. */
function steps(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${entry.action} ${entry.resource_id}`)
}

/** An audited client whose pool has one connection, as behind PgBouncer or in a serverless function. */
function clientWithOneConnection() {
  return withAudit(createClient(db.url, { max: 1, connectionTimeoutMillis: 5_000 }))
}

/** Resolves when `count` connections of this database wait for a lock. */
async function untilWaiting(count = 1): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const waiting = await db.sql(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (waiting.length >= count) return
    await sleep(10)
  }
  throw new Error(`${count} connections should wait for a lock by now`)
}

/** Another application on the same database, inside a transaction that it ends itself. */
async function otherTransaction<T>(work: (other: pg.PoolClient) => Promise<T>): Promise<T> {
  const other = await db.pool.connect()
  try {
    await other.query('BEGIN')
    return await work(other)
  } finally {
    await other.query('ROLLBACK') // nothing, where it has committed
    other.release()
  }
}

let counter = 0
const unique = (prefix: string) => `${prefix}-${++counter}`

describe('an interactive transaction', () => {
  it('commits its entries with its changes, under one transaction id, in order', async () => {
    const entries = await entriesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.country.create({ data: { code: 'AA', name: 'first' } })
        await tx.country.update({ where: { code: 'AA' }, data: { name: 'second' } })
        await tx.country.delete({ where: { code: 'AA' } })
      }),
    )
    expect(entries.map(({ action, resource_id, details }) => ({ action, resource_id, details }))).toEqual([
      {
        action: 'country.create',
        resource_id: 'AA',
        details: { operation: 'create', after: { code: 'AA', name: 'first', population: '0' } },
      },
      {
        action: 'country.update',
        resource_id: 'AA',
        details: {
          operation: 'update',
          before: { code: 'AA', name: 'first', population: '0' },
          after: { code: 'AA', name: 'second', population: '0' },
          changed: ['name'],
        },
      },
      {
        action: 'country.delete',
        resource_id: 'AA',
        details: { operation: 'delete', before: { code: 'AA', name: 'second', population: '0' } },
      },
    ])
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  it('leaves no entry when it throws after its writes', async () => {
    const name = unique('tag')
    const entries = await entriesOf(async () => {
      const running = prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { name } })
        throw new Error('the application changed its mind')
      })
      await expect(running).rejects.toThrow('the application changed its mind')
    })
    expect(entries).toEqual([])
    expect(await prisma.tag.findUnique({ where: { name } })).toBeNull()
  })

  it('leaves no entry when one of its writes fails', async () => {
    const name = unique('tag')
    const entries = await entriesOf(async () => {
      const running = prisma.$transaction(async (tx) => {
        await tx.tag.create({ data: { name } })
        await tx.tag.create({ data: { name } })
      })
      await expect(running).rejects.toMatchObject({ code: 'P2002' })
    })
    expect(entries).toEqual([])
  })

  it('leaves no entry when it runs out of time', async () => {
    const name = unique('tag')
    const client = clientWithOneConnection()
    const entries = await entriesOf(async () => {
      const running = client.$transaction(
        async (tx) => {
          await tx.tag.create({ data: { name } })
          await sleep(400)
          await tx.tag.create({ data: { name: `${name} late` } })
        },
        { timeout: 150 },
      )
      await expect(running).rejects.toMatchObject({
        code: expect.stringMatching(/^(P2028|P1018)$/), // expired, or ended under a statement
      })
      expect(await client.tag.count({ where: { name } })).toBe(0)
    })
    expect(entries).toEqual([])
  })

  it.each([
    [
      'a delete with cascades waits for a lock',
      (tx: Prisma.TransactionClient, id: string) => tx.post.delete({ where: { id } }),
    ],
    [
      'a nested write waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.post.update({
          where: { id },
          data: { title: 'too late', comments: { create: { text: 'too late' } } },
        }),
    ],
    [
      'an upsert waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.post.upsert({ where: { id }, create: { id, title: 'too late' }, update: { title: 'too late' } }),
    ],
    [
      'raw SQL waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.$executeRaw`UPDATE "Post" SET title = 'too late' WHERE id = ${id}`,
    ],
    [
      'raw SQL that can not be captured waits for a lock',
      (tx: Prisma.TransactionClient, id: string) =>
        tx.$executeRaw`WITH done AS (UPDATE "Post" SET title = 'too late' WHERE id = ${id}) SELECT 1`,
    ],
  ] as [string, (tx: Prisma.TransactionClient, id: string) => PromiseLike<unknown>][])(
    'leaves nothing when it runs out of time while %s',
    async (_, write) => {
      const client = clientWithOneConnection()
      const { id } = await client.post.create({
        data: { title: 'in time', comments: { create: { text: 'in time' } } },
      })
      const entries = await entriesOf(async () => {
        const running = await otherTransaction(async (other) => {
          await other.query('SELECT FROM "Post" WHERE id = $1 FOR UPDATE', [id])
          const transaction = client.$transaction(async (tx) => void (await write(tx, id)), { timeout: 150 })
          transaction.catch(() => {}) // asserted below
          await untilWaiting()
          await sleep(400)
          return { transaction }
        })
        await expect(running.transaction).rejects.toThrow(/transaction/i)
        await client.$queryRaw`SELECT 1` // whatever was still to come on the one connection has come
        await sleep(100)
      })
      expect(entries).toEqual([])
      expect(
        await db.sql(
          `SELECT p.title, c.text FROM "Post" p JOIN "Comment" c ON c."postId" = p.id WHERE p.id = $1`,
          [id],
        ),
      ).toEqual([{ title: 'in time', text: 'in time' }])
    },
  )

  it('records writes that run at the same time inside it', async () => {
    const names = Array.from({ length: 10 }, () => unique('tag'))
    const entries = await entriesOf(() =>
      prisma.$transaction((tx) => Promise.all(names.map((name) => tx.tag.create({ data: { name } })))),
    )
    expect(entries.map((entry) => entry.details.after.name).sort()).toEqual([...names].sort())
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  it('may update a row that it locked with raw SQL', async () => {
    const { id } = await prisma.tag.create({ data: { name: unique('tag') } })
    const name = unique('tag')
    const entries = await entriesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT id FROM "Tag" WHERE id = ${id} FOR UPDATE`
        await tx.$executeRaw`UPDATE "Tag" SET name = name || '!' WHERE id = ${id}`
        await tx.tag.update({ where: { id }, data: { name } })
      }),
    )
    expect(steps(entries)).toEqual([`tag.update ${id}`, `tag.update ${id}`])
    expect(entries[1]?.details.before).toEqual(entries[0]?.details.after)
    expect(entries.map((entry) => entry.details.operation)).toEqual(['$executeRaw', 'update'])
  })

  it('may update a row of a table with a BEFORE UPDATE trigger that it locked with raw SQL', async () => {
    const { id } = await prisma.stamped.create({ data: {} })
    const entries = await entriesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRaw`UPDATE "Stamped" SET counter = 1 WHERE id = ${id}`
        await tx.stamped.update({ where: { id }, data: { counter: { increment: 1 } } })
      }),
    )
    expect(entries.map(({ details }) => [details.before.counter, details.after.counter])).toEqual([
      [0, 1],
      [1, 2],
    ])
  })

  it('goes on after a statement that failed inside a savepoint of raw SQL', async () => {
    const name = unique('tag')
    const entries = await entriesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRaw`SAVEPOINT before_trying`
        await expect(tx.$executeRaw`INSERT INTO no_such_table VALUES (1)`).rejects.toMatchObject({
          code: 'P2010',
        })
        await tx.$executeRaw`ROLLBACK TO SAVEPOINT before_trying`
        await tx.tag.create({ data: { name } })
      }),
    )
    expect(entries.map(({ action, details }) => [action, details.after?.name])).toEqual([
      ['tag.create', name],
    ])
  })

  it.each(['ReadUncommitted', 'ReadCommitted', 'RepeatableRead', 'Serializable'] as const)(
    'keeps its isolation level %s',
    async (isolationLevel) => {
      const { id } = await prisma.stamped.create({ data: {} })
      const name = unique('tag')
      let level: unknown
      const entries = await entriesOf(() =>
        prisma.$transaction(
          async (tx) => {
            ;[level] = await tx.$queryRaw<unknown[]>`SELECT current_setting('transaction_isolation') AS level`
            await tx.tag.create({ data: { name } })
            await tx.tag.upsert({ where: { name }, create: { name }, update: { name: `${name}!` } })
            await tx.stamped.update({ where: { id }, data: { counter: 5 } })
            await tx.tag.delete({ where: { name: `${name}!` } })
          },
          { isolationLevel },
        ),
      )
      const words = isolationLevel.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
      expect(level).toEqual({ level: words })
      expect(entries.map((entry) => entry.action)).toEqual([
        'tag.create',
        'tag.update',
        'stamped.update',
        'tag.delete',
      ])
    },
  )

  it.each(['RepeatableRead', 'Serializable'] as const)(
    'that loses against another one under %s fails as without the audit, and leaves no entry',
    async (isolationLevel) => {
      const { id } = await prisma.tag.create({ data: { name: unique('tag') } })
      const { id: stampedId } = await prisma.stamped.create({ data: {} })
      const entries = await entriesOf(async () => {
        for (const write of [
          (tx: Prisma.TransactionClient) => tx.tag.update({ where: { id }, data: { name: unique('lost') } }),
          (tx: Prisma.TransactionClient) => tx.tag.delete({ where: { id } }),
          (tx: Prisma.TransactionClient) =>
            tx.stamped.update({ where: { id: stampedId }, data: { counter: 9 } }),
        ]) {
          const running = prisma.$transaction(
            async (tx) => {
              await tx.tag.count() // takes the snapshot
              await db.sql(`UPDATE "Tag" SET name = name || '.' WHERE id = $1`, [id])
              await db.sql('UPDATE "Stamped" SET counter = counter + 1 WHERE id = $1', [stampedId])
              await write(tx)
            },
            { isolationLevel },
          )
          await expect(running).rejects.toMatchObject({ code: 'P2034' })
        }
      })
      expect(entries).toEqual([])
    },
  )
})

describe('a nested transaction', () => {
  it('that is rolled back leaves no entry; the outer one and its other ones do', async () => {
    const [outer, lost, kept, last] = ['outer', 'lost', 'kept', 'last'].map(unique) as [
      string,
      string,
      string,
      string,
    ]
    const entries = await entriesOf(() =>
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
    const entries = await entriesOf(() =>
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
    const entries = await entriesOf(async () => {
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
    const entries = await entriesOf(() =>
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

describe('a batch', () => {
  it('records create and update of the same row, in that order', async () => {
    const entries = await entriesOf(() =>
      prisma.$transaction([
        prisma.country.create({ data: { code: 'BB', name: 'first' } }),
        prisma.country.update({ where: { code: 'BB' }, data: { name: 'second' } }),
        prisma.country.update({ where: { code: 'BB' }, data: { population: 3n } }),
        prisma.country.findMany(),
        prisma.country.delete({ where: { code: 'BB' } }),
      ]),
    )
    expect(
      entries.map(({ action, details }) => [action, details.before ?? null, details.after ?? null]),
    ).toEqual([
      ['country.create', null, { code: 'BB', name: 'first', population: '0' }],
      [
        'country.update',
        { code: 'BB', name: 'first', population: '0' },
        { code: 'BB', name: 'second', population: '0' },
      ],
      [
        'country.update',
        { code: 'BB', name: 'second', population: '0' },
        { code: 'BB', name: 'second', population: '3' },
      ],
      ['country.delete', { code: 'BB', name: 'second', population: '3' }, null],
    ])
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
  })

  it('gives what it gives without the audit', async () => {
    const plain = createClient(db.url)
    const batch = (client: Pick<typeof plain, 'country' | '$transaction' | '$executeRaw'>, code: string) =>
      client.$transaction([
        client.country.create({ data: { code, name: 'one' }, select: { name: true } }),
        client.country.updateMany({ where: { code }, data: { population: 7n } }),
        client.$executeRaw`UPDATE "Country" SET name = 'two' WHERE code = ${code}`,
        client.country.findUnique({ where: { code }, omit: { code: true } }),
        client.country.deleteMany({ where: { code } }),
      ])
    expect(await batch(prisma, 'CA')).toEqual(await batch(plain, 'CB'))
  })

  it('that fails leaves no entry, and the connection fit for the next call', async () => {
    const client = clientWithOneConnection()
    const name = unique('tag')
    const entries = await entriesOf(async () => {
      const conflicting = client.$transaction([
        client.tag.create({ data: { name } }),
        client.tag.create({ data: { name } }),
      ])
      await expect(conflicting).rejects.toMatchObject({ code: 'P2002' })
      const unknownTable = client.$transaction([
        client.tag.create({ data: { name } }),
        client.$executeRaw`INSERT INTO no_such_table VALUES (1)`,
      ])
      await expect(unknownTable).rejects.toMatchObject({ code: 'P2010' })
      const notFound = client.$transaction([
        client.tag.create({ data: { name } }),
        client.tag.delete({ where: { id: -1 } }),
      ])
      await expect(notFound).rejects.toMatchObject({ code: 'P2025' })
      expect(await client.tag.count({ where: { name } })).toBe(0)
    })
    expect(entries).toEqual([])
    expect(steps(await entriesOf(() => client.country.create({ data: { code: 'CC', name: 'c' } })))).toEqual([
      'country.create CC',
    ])
  })

  it('names the operation only where all of its calls are the same', async () => {
    const mixed = await entriesOf(() =>
      prisma.$transaction([
        prisma.tag.create({ data: { name: unique('tag') } }),
        prisma.tag.deleteMany({ where: { name: { startsWith: 'no such' } } }),
      ]),
    )
    const same = await entriesOf(() =>
      prisma.$transaction([
        prisma.tag.create({ data: { name: unique('tag') } }),
        prisma.tag.create({ data: { name: unique('tag') } }),
      ]),
    )
    expect(mixed.map((entry) => entry.details.operation)).toEqual([undefined])
    expect(same.map((entry) => entry.details.operation)).toEqual(['create', 'create'])
  })

  it('keeps its isolation level', async () => {
    const [level, created] = await prisma.$transaction(
      [
        prisma.$queryRaw<{ level: string }[]>`SELECT current_setting('transaction_isolation') AS level`,
        prisma.tag.create({ data: { name: unique('tag') } }),
      ],
      { isolationLevel: 'Serializable' },
    )
    expect(level).toEqual([{ level: 'serializable' }])
    expect(created.id).toEqual(expect.any(Number))
  })
})

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
    'raw SQL that can not be captured': async (client) => client.$executeRaw`TRUNCATE "Reading"`,
  }

  it.each(Object.keys(kinds))('is enough for %s, also as the first call', async (kind) => {
    const client = clientWithOneConnection()
    await kinds[kind]?.(client)
    await kinds[kind]?.(client)
  })

  it.each(Object.keys(kinds))('is enough for 20 of them at the same time: %s', async (kind) => {
    const client = clientWithOneConnection()
    // Prisma waits 2 seconds for a connection before it gives a transaction up
    await Promise.all(Array.from({ length: 20 }, () => kinds[kind]?.(client)))
  })

  it('is enough for all of them mixed', async () => {
    const client = clientWithOneConnection()
    await Promise.all(Object.values(kinds).flatMap((run) => [run(client), run(client)]))
  })

  it('is enough where the first plain call waits for the connection of a transaction', async () => {
    const client = clientWithOneConnection()
    const entries = await entriesOf(async () => {
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
    const entries = await entriesOf(() =>
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

describe('a write that waits for a lock', () => {
  it.each(['tag', 'stamped'] as const)(
    'has the state after the other commit as its before: %s',
    async (model) => {
      const isTag = model === 'tag'
      const { id } = isTag
        ? await prisma.tag.create({ data: { name: unique('first') } })
        : await prisma.stamped.create({ data: {} })
      const entries = await entriesOf(() =>
        otherTransaction(async (other) => {
          await other.query(
            isTag
              ? `UPDATE "Tag" SET name = 'theirs ' || id WHERE id = $1`
              : 'UPDATE "Stamped" SET counter = 41 WHERE id = $1',
            [id],
          )
          const mine: Promise<unknown> = isTag
            ? prisma.tag.update({ where: { id }, data: { name: `mine ${id}` } }).then()
            : prisma.stamped.update({ where: { id }, data: { counter: { increment: 1 } } }).then()
          await untilWaiting()
          await other.query('COMMIT')
          await mine
        }),
      )
      const [entry] = entries
      expect(entries).toHaveLength(1)
      expect([entry?.details.before, entry?.details.after]).toEqual(
        isTag
          ? [
              { id, name: `theirs ${id}` },
              { id, name: `mine ${id}` },
            ]
          : [
              { id, counter: 41, stampedAt: expect.any(String) },
              { id, counter: 42, stampedAt: expect.any(String) },
            ],
      )
    },
  )

  it('has the state before the other transaction when that is rolled back', async () => {
    const { id, name } = await prisma.tag.create({ data: { name: unique('first') } })
    const [entry] = await entriesOf(() =>
      otherTransaction(async (other) => {
        await other.query(`UPDATE "Tag" SET name = 'theirs ' || id WHERE id = $1`, [id])
        const mine = prisma.tag.update({ where: { id }, data: { name: `mine ${id}` } }).then()
        await untilWaiting()
        await other.query('ROLLBACK')
        await mine
      }),
    )
    expect(entry?.details.before).toEqual({ id, name })
  })

  it('writes no entry when the row is gone or no longer matches', async () => {
    const first = await prisma.tag.create({ data: { name: unique('first') } })
    const second = await prisma.stamped.create({ data: { counter: 1 } })
    const entries = await entriesOf(() =>
      otherTransaction(async (other) => {
        await other.query('DELETE FROM "Tag" WHERE id = $1', [first.id])
        await other.query('UPDATE "Stamped" SET counter = 2 WHERE id = $1', [second.id])
        const [tags, stamped] = [
          prisma.tag.updateMany({ where: { id: first.id }, data: { name: 'x' } }).then(),
          prisma.stamped.updateMany({ where: { id: second.id, counter: 1 }, data: { counter: 9 } }).then(),
        ]
        await untilWaiting(2)
        await other.query('COMMIT')
        expect(await tags).toEqual({ count: 0 })
        expect(await stamped).toEqual({ count: 0 })
      }),
    )
    expect(entries).toEqual([])
  })

  it('records a delete with the row as it was after the other commit', async () => {
    const { id } = await prisma.tag.create({ data: { name: unique('first') } })
    const entries = await entriesOf(() =>
      otherTransaction(async (other) => {
        await other.query(`UPDATE "Tag" SET name = 'theirs ' || id WHERE id = $1`, [id])
        const mine = prisma.tag.delete({ where: { id } }).then()
        await untilWaiting()
        await other.query('COMMIT')
        await mine
      }),
    )
    expect(entries.map(({ action, details }) => [action, details.before])).toEqual([
      ['tag.delete', { id, name: `theirs ${id}` }],
    ])
  })

  it('sorts after the one it waited for', async () => {
    const { id } = await prisma.tag.create({ data: { name: unique('first') } })
    const names = [unique('theirs'), unique('mine')]
    const entries = await entriesOf(async () => {
      let mine: Promise<unknown> | undefined
      await prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT id FROM "Tag" WHERE id = ${id} FOR UPDATE`
        mine = prisma.tag.update({ where: { id }, data: { name: names[1] as string } }).then()
        await untilWaiting()
        await tx.tag.update({ where: { id }, data: { name: names[0] as string } })
      })
      await mine
    })
    expect(entries.map((entry) => entry.details.after.name)).toEqual(names)
    expect(entries[1]?.timestamp.getTime()).toBeGreaterThanOrEqual(
      entries[0]?.timestamp.getTime() ?? Infinity,
    )
  })

  it('does not lock more than without the audit: two children, then the counter of their parent', async () => {
    await db.sql('CREATE TABLE stamped_child (id serial PRIMARY KEY, parent int REFERENCES "Stamped")')
    const client = withAudit(createClient(db.url))
    const stamped = await client.stamped.create({ data: {} })
    const post = await client.post.create({ data: { title: 'a parent' } })
    // an insert of a child takes a share lock on its parent's key, which an update of other columns passes
    let inserted = 0
    let release: () => void = () => {}
    const bothInserted = new Promise<void>((resolve) => {
      release = resolve
    })
    const run = () =>
      client.$transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO stamped_child (parent) VALUES (${stamped.id})`
        await tx.comment.create({ data: { text: 'a child', postId: post.id } })
        if (++inserted === 2) release()
        await bothInserted
        await tx.stamped.update({ where: { id: stamped.id }, data: { counter: { increment: 1 } } })
        await tx.post.update({ where: { id: post.id }, data: { views: { increment: 1 } } })
      })
    const entries = await entriesOf(async () => {
      const outcomes = await Promise.allSettled([run(), run()])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    })
    const updates = entries.filter((entry) => entry.action.endsWith('.update'))
    expect(
      updates.map(({ action, details }) => [action, details.before.counter ?? details.before.views]),
    ).toEqual([
      ['stamped.update', 0],
      ['post.update', 0],
      ['stamped.update', 1],
      ['post.update', 1],
    ])
  })

  it('does not lock more than without the audit where the key is assigned its own value', async () => {
    const post = await prisma.post.create({ data: { title: 'saved as a whole' } })
    let inserted = 0
    let release: () => void = () => {}
    const bothInserted = new Promise<void>((resolve) => {
      release = resolve
    })
    const run = () =>
      prisma.$transaction(async (tx) => {
        await tx.comment.create({ data: { text: 'a child', postId: post.id } })
        if (++inserted === 2) release()
        await bothInserted
        await tx.post.update({ where: { id: post.id }, data: { ...post, views: { increment: 1 } } })
      })
    const entries = await entriesOf(async () => {
      const outcomes = await Promise.allSettled([run(), run()])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    })
    const updates = entries.filter((entry) => entry.action === 'post.update')
    expect(
      updates.map(({ details }) => [details.before.views, details.after.views, details.changed]),
    ).toEqual([
      [0, 1, ['views']],
      [1, 2, ['views']],
    ])
  })
})

describe('an upsert that races an insert of its key', () => {
  const where = (key: string) => ({ key_language: { key, language: 'en' } })

  it('is an update of the row that the other transaction committed', async () => {
    const key = unique('key')
    const entries = await entriesOf(() =>
      otherTransaction(async (other) => {
        await other.query(`INSERT INTO "Translation" VALUES ($1, 'en', $2, 8)`, [key, `theirs ${key}`])
        const mine = prisma.translation
          .upsert({
            where: where(key),
            create: { key, language: 'en', text: `mine ${key}` },
            update: { revision: { increment: 1 } },
          })
          .then()
        await untilWaiting()
        await other.query('COMMIT')
        expect(await mine).toEqual({ key, language: 'en', text: `theirs ${key}`, revision: 9 })
      }),
    )
    expect(entries.map(({ action, resource_id, details }) => ({ action, resource_id, details }))).toEqual([
      {
        action: 'translation.update',
        resource_id: `["${key}","en"]`,
        details: {
          operation: 'upsert',
          before: { key, language: 'en', text: `theirs ${key}`, revision: 8 },
          after: { key, language: 'en', text: `theirs ${key}`, revision: 9 },
          changed: ['revision'],
        },
      },
    ])
  })

  it('is a create when the other transaction is rolled back', async () => {
    const key = unique('key')
    const entries = await entriesOf(() =>
      otherTransaction(async (other) => {
        await other.query(`INSERT INTO "Translation" VALUES ($1, 'en', $2, 8)`, [key, `theirs ${key}`])
        const mine = prisma.translation
          .upsert({
            where: where(key),
            create: { key, language: 'en', text: `mine ${key}` },
            update: { revision: { increment: 1 } },
          })
          .then()
        await untilWaiting()
        await other.query('ROLLBACK')
        await mine
      }),
    )
    expect(entries.map(({ action, details }) => [action, details.after])).toEqual([
      ['translation.create', { key, language: 'en', text: `mine ${key}`, revision: 1 }],
    ])
  })

  it('is one create and 19 updates when 20 of them race, and the chain of revisions has no gap', async () => {
    for (let round = 0; round < 10; round++) {
      const key = unique('key')
      const entries = await entriesOf(() =>
        Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            prisma.translation.upsert({
              where: where(key),
              create: { key, language: 'en', text: `${key} ${index}` }, // unique too, and none of the race's business
              update: { revision: { increment: 1 } },
            }),
          ),
        ),
      )
      expect(entries.map((entry) => entry.action)).toEqual([
        'translation.create',
        ...Array.from({ length: 19 }, () => 'translation.update'),
      ])
      expect(
        entries.slice(1).map(({ details }) => [details.before.revision, details.after.revision]),
      ).toEqual(Array.from({ length: 19 }, (_, index) => [index + 1, index + 2]))
    }
  })

  it('is recorded as what happened where Prisma reads first and writes then', async () => {
    const email = unique('upsert@')
    const upsert = (name: string) =>
      prisma.user.upsert({
        where: { email },
        create: { email, name, profile: { create: { bio: 'new' } } },
        update: { name },
        include: { profile: true },
      })
    const created = await entriesOf(() => upsert('first'))
    const updated = await entriesOf(() => upsert('second'))
    expect(created.map((entry) => entry.action)).toEqual(['user.create', 'profile.create'])
    expect(updated.map((entry) => entry.action)).toEqual(['user.update'])
    expect(updated[0]?.details.before.name).toBe('first')
  })
})

describe('rows that the database completes', () => {
  it('createMany records generated ids and defaults, not its input', async () => {
    const names = [unique('many'), unique('many')] as const
    const entries = await entriesOf(() => prisma.tag.createMany({ data: names.map((name) => ({ name })) }))
    const rows = await db.sql('SELECT id, name FROM "Tag" WHERE name = ANY ($1) ORDER BY id', [names])
    expect(entries.map((entry) => [entry.action, entry.resource_id, entry.details])).toEqual(
      rows.map((row) => ['tag.create', String(row.id), { operation: 'createMany', after: row }]),
    )
  })

  it('createMany with skipDuplicates records the rows that it inserted, and counts them', async () => {
    const [known, fresh] = [unique('many'), unique('many')]
    await prisma.tag.create({ data: { name: known } })
    const entries = await entriesOf(async () => {
      const result = await prisma.tag.createMany({
        data: [{ name: known }, { name: fresh }, { name: fresh }],
        skipDuplicates: true,
      })
      expect(result).toEqual({ count: 1 })
    })
    expect(entries.map((entry) => [entry.action, entry.details.after.name])).toEqual([['tag.create', fresh]])
  })

  it('createManyAndReturn and updateManyAndReturn give and record every row', async () => {
    let created: { id: number; name: string }[] = []
    const creates = await entriesOf(async () => {
      created = await prisma.tag.createManyAndReturn({
        data: [{ name: unique('many') }, { name: unique('many') }],
      })
    })
    expect(creates.map((entry) => entry.details.after)).toEqual(created)
    const ids = created.map(({ id }) => id)
    const updates = await entriesOf(() =>
      prisma.stamped.updateManyAndReturn({ where: { id: { in: ids } }, data: { counter: 1 } }),
    )
    expect(updates.every((entry) => entry.action === 'stamped.update')).toBe(true)
  })

  it('shows every field, whatever select and omit leave out', async () => {
    const entries = await entriesOf(async () => {
      await prisma.country.create({ data: { code: 'DD', name: 'd' }, select: { code: true } })
      await prisma.country.update({
        where: { code: 'DD' },
        data: { name: 'e' },
        omit: { code: true, name: true },
      })
      await prisma.country.delete({ where: { code: 'DD' }, select: { population: true } })
    })
    expect(entries.map(({ details }) => details.before ?? details.after)).toEqual([
      { code: 'DD', name: 'd', population: '0' },
      { code: 'DD', name: 'd', population: '0' },
      { code: 'DD', name: 'e', population: '0' },
    ])
  })
})

describe('keys that are not called id', () => {
  it('are the resource id: a char key, a composite key, none', async () => {
    const key = unique('key "quoted"')
    const entries = await entriesOf(async () => {
      await prisma.country.create({ data: { code: 'EE', name: 'e' } })
      await prisma.translation.create({ data: { key, language: 'de', text: key } })
      await prisma.reading.create({ data: { sensor: unique('sensor'), value: 1.5 } })
    })
    expect(entries.map((entry) => [entry.action, entry.resource_id])).toEqual([
      ['country.create', 'EE'],
      ['translation.create', JSON.stringify([key, 'de'])],
      ['reading.create', null],
    ])
  })

  it('that change are recorded under the old key', async () => {
    await prisma.country.create({ data: { code: 'FF', name: 'f' } })
    const [entry] = await entriesOf(() =>
      prisma.country.update({ where: { code: 'FF' }, data: { code: 'GG' } }),
    )
    expect([entry?.resource_id, entry?.details.changed, entry?.details.after.code]).toEqual([
      'FF',
      ['code'],
      'GG',
    ])
  })
})

describe('promises that nobody awaits where they are made', () => {
  const actor = { id: 'ada', type: 'user' } as const

  it('run in the context whose function returns them', async () => {
    const entries = await entriesOf(async () => {
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
    const entries = await entriesOf(async () => {
      const lazy = prisma.tag.create({ data: { name } })
      await sleep(50)
      expect(await db.sql('SELECT FROM "Tag" WHERE name = $1', [name])).toEqual([])
      await lazy
      await expect(lazy).resolves.toMatchObject({ name })
    })
    expect(entries).toHaveLength(1)
  })
})

describe('a nested write', () => {
  it('over five tables has one transaction id, and entries in the order of its statements', async () => {
    const email = unique('five@')
    let userId = 0
    const entries = await entriesOf(async () => {
      const user = await prisma.user.create({
        data: {
          email,
          profile: { create: { bio: 'five' } },
          posts: {
            create: {
              title: 'five',
              comments: { create: { text: 'a comment' } },
              tags: { create: { name: unique('five') } },
            },
          },
        },
      })
      userId = user.id
    })
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
    expect(entries.map((entry) => BigInt(entry.seq))).toEqual(
      entries.map((entry) => BigInt(entry.seq)).sort((a, b) => (a < b ? -1 : 1)),
    )
    const [post] = await db.sql<{ id: string }>('SELECT id FROM "Post" WHERE "authorId" = $1', [userId])
    const [tag] = await db.sql<{ id: number }>('SELECT "B" AS id FROM "_PostToTag" WHERE "A" = $1', [
      post?.id,
    ])
    const recorded = entries.map(({ action, details }) => [action, details.target ?? null])
    expect(recorded).toHaveLength(7)
    expect(recorded[0]).toEqual(['user.create', null])
    expect(recorded).toEqual(
      expect.arrayContaining([
        ['profile.create', null],
        ['post.create', null],
        ['comment.create', null],
        ['tag.create', null],
        ['post.connect', { type: 'tag', id: String(tag?.id) }],
        ['tag.connect', { type: 'post', id: post?.id }],
      ]),
    )
    const position = (action: string) => entries.findIndex((entry) => entry.action === action)
    expect(position('post.create')).toBeLessThan(position('comment.create'))
    expect(position('tag.create')).toBeLessThan(position('post.connect'))
    expect(position('tag.connect')).toBe(position('post.connect') + 1)
    expect(entries.every((entry) => entry.details.operation === 'create')).toBe(true)
  })

  it('that fails in its last table leaves no entry of any', async () => {
    const name = unique('taken')
    await prisma.tag.create({ data: { name } })
    const entries = await entriesOf(async () => {
      const running = prisma.user.create({
        data: {
          email: unique('fails@'),
          posts: { create: { title: 'fails', tags: { create: { name } } } },
        },
      })
      await expect(running).rejects.toMatchObject({ code: 'P2002' })
    })
    expect(entries).toEqual([])
  })
})

describe('8 writers, 250 increments each', () => {
  it.each(['post', 'stamped'] as const)(
    'leave 2,000 entries of one %s, and every before equals the previous after',
    { timeout: 180_000 },
    async (model) => {
      const field = model === 'post' ? 'views' : 'counter'
      const { id } =
        model === 'post'
          ? await prisma.post.create({ data: { title: 'contended' } })
          : await prisma.stamped.create({ data: {} })
      const increment = async (): Promise<unknown> =>
        model === 'post'
          ? prisma.post.update({ where: { id: String(id) }, data: { views: { increment: 1 } } })
          : prisma.stamped.update({ where: { id: Number(id) }, data: { counter: { increment: 1 } } })
      const entries = await entriesOf(() =>
        Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let turn = 0; turn < 250; turn++) await increment()
          }),
        ),
      )
      expect(entries).toHaveLength(2_000)
      expect(entries.map(({ details }) => [details.before[field], details.after[field]])).toEqual(
        Array.from({ length: 2_000 }, (_, index) => [index, index + 1]),
      )
      const broken = entries.filter(
        (entry, index) =>
          index > 0 &&
          JSON.stringify(entry.details.before) !== JSON.stringify(entries[index - 1]?.details.after),
      )
      expect(broken).toEqual([])
      expect(new Set(entries.map((entry) => entry.id)).size).toBe(2_000)
    },
  )
})

describe('a delete with cascades that races inserts of children', () => {
  it('leaves no child that vanished without its entry', { timeout: 120_000 }, async () => {
    const writers = Array.from({ length: 4 }, () => createClient(db.url, { max: 1 }))
    const made: number[] = []
    const entries = await entriesOf(async () => {
      for (let round = 0; round < 15; round++) {
        const post = await prisma.post.create({ data: { title: 'race' } })
        const inserting = writers.map(async (writer) => {
          for (let isThere = true; isThere; ) {
            await writer.comment.create({ data: { text: 'race', postId: post.id } }).then(
              ({ id }) => made.push(id),
              (error: { code?: string }) => {
                if (error.code !== 'P2003') throw error // no such post any more
                isThere = false
              },
            )
          }
        })
        const enough = made.length + 10
        while (made.length < enough) await sleep(1)
        await prisma.post.delete({ where: { id: post.id } })
        await Promise.all(inserting)
      }
    })
    const deleted = entries.filter((entry) => entry.action === 'comment.delete')
    const inOrder = (ids: (number | string | null)[]) => ids.map(Number).sort((a, b) => a - b)
    expect(inOrder(deleted.map((entry) => entry.resource_id))).toEqual(inOrder(made))
    expect(deleted.every((entry) => entry.details.cause === 'post.delete')).toBe(true)
    expect(await db.sql(`SELECT id FROM "Comment" WHERE text = 'race'`)).toEqual([])
  })

  it('two levels deep', { timeout: 120_000 }, async () => {
    const writers = Array.from({ length: 4 }, () => createClient(db.url, { max: 1 }))
    const made: number[] = []
    const entries = await entriesOf(async () => {
      for (let round = 0; round < 10; round++) {
        const root = await prisma.category.create({
          data: { name: 'root', children: { create: [{ name: 'left' }, { name: 'right' }] } },
          include: { children: true },
        })
        made.push(root.id, ...root.children.map(({ id }) => id))
        const inserting = writers.map(async (writer, index) => {
          const parentId = [root.id, ...root.children.map(({ id }) => id)][index % 3] as number
          for (let isThere = true; isThere; ) {
            await writer.category.create({ data: { name: 'leaf', parentId } }).then(
              ({ id }) => made.push(id),
              (error: { code?: string }) => {
                if (error.code !== 'P2003') throw error
                isThere = false
              },
            )
          }
        })
        const enough = made.length + 10
        while (made.length < enough) await sleep(1)
        await prisma.category.delete({ where: { id: root.id } })
        await Promise.all(inserting)
      }
    })
    const deleted = entries.filter((entry) => entry.action === 'category.delete')
    const inOrder = (ids: (number | string | null)[]) => ids.map(Number).sort((a, b) => a - b)
    expect(inOrder(deleted.map((entry) => entry.resource_id))).toEqual(inOrder(made))
  })
})

describe('an entry that can not be written', () => {
  it('takes its change back with it', async () => {
    const name = unique('tag')
    const unwritten: AuditError[] = []
    const strict = withAudit(createClient(db.url), { onError: (error) => unwritten.push(error) })
    await db.sql(
      `ALTER TABLE audit_logs ADD CONSTRAINT nothing_more CHECK (action <> 'tag.create') NOT VALID`,
    )
    try {
      await expect(strict.tag.create({ data: { name } })).rejects.not.toBeInstanceOf(AuditError)
      expect(await strict.tag.findUnique({ where: { name } })).toBeNull()
      // the constraint refuses the entry about the failure as well
      await strict.$audit.flush()
      expect(unwritten).toMatchObject([
        { code: 'AUDIT_NOT_WRITTEN', entry: { action: 'tag.create', outcome: 'failure' } },
      ])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT nothing_more')
    }
  })
})
