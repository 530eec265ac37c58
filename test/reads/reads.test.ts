import { PrismaPg } from '@prisma/adapter-pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AuditOptions, withAudit, withAuditContext } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase, type Entry } from '../support/database.ts'

const db = await createDatabase()
const plain = createClient(db.url)
const options = { reads: ['User', 'Shelf', 'Reading'] } satisfies AuditOptions<PrismaClient>
const prisma = withAudit(createClient(db.url), options)

const fields = {
  user: ['id', 'email', 'name', 'level', 'passwordHash', 'loginCount', 'createdAt', 'updatedAt', 'managerId'],
  shelf: ['warehouseCode', 'number', 'label'],
}

beforeAll(async () => {
  await plain.user.create({ data: { id: 1, email: 'ada@example.com', name: 'Ada' } })
  await plain.user.create({ data: { id: 2, email: 'bob@example.com', name: 'Bob', managerId: 1 } })
  await plain.user.create({ data: { id: 3, email: 'eve@example.com', name: 'Bob', managerId: 1 } })
  await plain.post.create({ data: { id: 'p1', title: 'one', authorId: 1, reviewerId: 2 } })
  await plain.post.create({ data: { id: 'p2', title: 'two', authorId: 1 } })
  await plain.comment.create({ data: { id: 1, text: 'hm', postId: 'p1', userId: 3 } })
  await plain.warehouse.create({
    data: { code: 'W', city: 'Oslo', shelves: { create: [{ number: 1 }, { number: 2, label: 'b' }] } },
  })
  await plain.reading.createMany({
    data: [
      { sensor: 'a', value: 1 },
      { sensor: 'b', value: 2 },
    ],
  })
})

/** What a read writes: the entries in brief, with the result beside them. */
async function reading<T>(work: () => PromiseLike<T>, queuedBy?: { $audit: { flush(): Promise<void> } }) {
  const since = await db.lastSeq()
  const result = await work()
  await queuedBy?.$audit.flush()
  return { result, entries: (await db.entries(since)).map(readOf) }
}

/** What an entry says of the read. */
function readOf({ action, resource_type, resource_id, outcome, details }: Entry) {
  expect(action).toBe(`${resource_type}.read`)
  expect(outcome).toBe('success')
  return { resource: resource_type, id: resource_id, ...details }
}

describe('a read of a model in the option reads', () => {
  it('records who read what, durable before the result is given', async () => {
    const since = await db.lastSeq()
    await withAuditContext(
      {
        ...{ actor: { id: 'dr', type: 'user', email: 'dr@example.com' }, requestId: 'r1', ip: '203.0.113.7' },
        ...{ userAgent: 'curl', organizationId: 'o1', reason: 'treatment', metadata: { ward: 3 } },
      },
      () => prisma.user.findUnique({ where: { id: 1 } }),
    )
    expect(await db.entries(since)).toEqual([
      {
        ...{ id: expect.any(String), timestamp: expect.any(Date), seq: expect.any(String) },
        transaction_id: expect.any(String),
        ...{ action: 'user.read', resource_type: 'user', resource_id: '1', outcome: 'success' },
        reason: 'treatment',
        details: {
          ...{ ids: ['1'], count: 1, fields: fields.user, filter: { id: '?' } },
          ...{ operation: 'findUnique', metadata: { ward: 3 } },
        },
        ...{ actor_id: 'dr', actor_type: 'user', actor_email: 'dr@example.com' },
        ...{ request_id: 'r1', ip: '203.0.113.7', user_agent: 'curl', organization_id: 'o1' },
      },
    ])
  })

  it.each<[string, (client: typeof plain) => PromiseLike<unknown>, object[]]>([
    [
      'findUniqueOrThrow',
      (client) =>
        client.user.findUniqueOrThrow({ where: { email: 'bob@example.com' }, select: { name: true } }),
      [
        {
          resource: 'user',
          id: '2',
          ids: ['2'],
          count: 1,
          fields: ['name'],
          filter: { email: '?' },
          operation: 'findUniqueOrThrow',
        },
      ],
    ],
    [
      'findFirst without a filter',
      (client) => client.user.findFirst({ orderBy: { id: 'desc' }, omit: { id: true, email: true } }),
      [
        {
          ...{ resource: 'user', id: '3', ids: ['3'], count: 1 },
          ...{ fields: fields.user.slice(2), operation: 'findFirst' },
        },
      ],
    ],
    [
      'findFirstOrThrow',
      (client) =>
        client.user.findFirstOrThrow({ where: { name: { in: ['Bob', 'Carl'] } }, orderBy: { id: 'asc' } }),
      [
        {
          ...{ resource: 'user', id: '2', ids: ['2'], count: 1, fields: fields.user },
          ...{ filter: { name: { in: '?' } }, operation: 'findFirstOrThrow' },
        },
      ],
    ],
    [
      'findMany with distinct, cursor, skip and take',
      (client) =>
        client.user.findMany({
          ...{ select: { name: true, _count: { select: { posts: true } } }, distinct: ['name'] },
          ...{ orderBy: { id: 'asc' }, cursor: { id: 1 }, skip: 1, take: 5 },
        }),
      [{ resource: 'user', id: '2', ids: ['2'], count: 1, fields: ['name'], operation: 'findMany' }],
    ],
    [
      'a composite key',
      (client) => client.shelf.findMany({ select: { label: true }, orderBy: { number: 'asc' } }),
      [
        {
          ...{ resource: 'shelf', id: null, ids: ['["W","1"]', '["W","2"]'], count: 2 },
          ...{ fields: ['label'], operation: 'findMany' },
        },
      ],
    ],
    [
      'a part of a composite key',
      (client) =>
        client.shelf.findUnique({
          where: { warehouseCode_number: { warehouseCode: 'W', number: 2 } },
          select: { number: true },
        }),
      [
        {
          ...{ resource: 'shelf', id: '["W","2"]', ids: ['["W","2"]'], count: 1, fields: ['number'] },
          ...{
            filter: { warehouseCode_number: { warehouseCode: '?', number: '?' } },
            operation: 'findUnique',
          },
        },
      ],
    ],
    [
      'a model without a primary key',
      (client) => client.reading.findMany({ where: { value: { gt: 0 } } }),
      [
        {
          ...{ resource: 'reading', id: null, ids: [], count: 2, fields: ['sensor', 'value'] },
          ...{ filter: { value: { gt: '?' } }, operation: 'findMany' },
        },
      ],
    ],
    [
      'a record that is not there',
      (client) => client.user.findUnique({ where: { id: 404 } }),
      [
        {
          resource: 'user',
          id: null,
          ids: [],
          count: 0,
          fields: fields.user,
          filter: { id: '?' },
          operation: 'findUnique',
        },
      ],
    ],
    [
      'records that are not there',
      (client) => client.user.findMany({ where: { name: 'Nobody' } }),
      [
        {
          resource: 'user',
          id: null,
          ids: [],
          count: 0,
          fields: fields.user,
          filter: { name: '?' },
          operation: 'findMany',
        },
      ],
    ],
    [
      'an include',
      (client) =>
        client.post.findMany({
          include: { author: true, reviewer: { omit: { id: true } } },
          orderBy: { id: 'asc' },
        }),
      [
        {
          ...{ resource: 'user', id: '1', ids: ['1'], count: 1, fields: fields.user },
          ...{ via: 'post.author', operation: 'findMany' },
        },
        {
          ...{ resource: 'user', id: '2', ids: ['2'], count: 1, fields: fields.user.slice(1) },
          ...{ via: 'post.reviewer', operation: 'findMany' },
        },
      ],
    ],
    [
      'a select, deep inside',
      (client) =>
        client.tag.findMany().then(() =>
          client.post.findUnique({
            where: { id: 'p1' },
            select: {
              title: true,
              comments: {
                select: {
                  text: true,
                  user: { select: { name: true, manager: { select: { email: true } } } },
                },
              },
            },
          }),
        ),
      [
        {
          ...{ resource: 'user', id: '3', ids: ['3'], count: 1, fields: ['name'] },
          ...{ via: 'post.comments.user', operation: 'findUnique' },
        },
        {
          ...{ resource: 'user', id: '1', ids: ['1'], count: 1, fields: ['email'] },
          ...{ via: 'post.comments.user.manager', operation: 'findUnique' },
        },
      ],
    ],
    [
      'a relation to the same model, with a filter',
      (client) =>
        client.user.findUnique({
          where: { id: 1 },
          select: { reports: { where: { name: { not: 'x' } }, select: { name: true } } },
        }),
      [
        {
          ...{ resource: 'user', id: '1', ids: ['1'], count: 1, fields: [] },
          ...{ filter: { id: '?' }, operation: 'findUnique' },
        },
        {
          ...{ resource: 'user', id: null, ids: ['2', '3'], count: 2, fields: ['name'] },
          ...{ filter: { name: { not: '?' } }, via: 'user.reports', operation: 'findUnique' },
        },
      ],
    ],
    [
      'a relation that is followed from a record',
      (client) => client.post.findUnique({ where: { id: 'p1' } }).author({ select: { name: true } }),
      [
        {
          ...{ resource: 'user', id: '1', ids: ['1'], count: 1, fields: ['name'] },
          ...{ via: 'post.author', operation: 'findUnique' },
        },
      ],
    ],
    [
      'relations that are followed twice',
      (client) =>
        client.user
          .findUnique({ where: { id: 2 } })
          .manager()
          .reports({ select: { name: true } }),
      [
        {
          ...{ resource: 'user', id: null, ids: ['2', '3'], count: 2, fields: ['name'] },
          ...{ via: 'user.manager.reports', operation: 'findUnique' },
        },
      ],
    ],
    [
      'the same record for all who ask at once',
      (client) =>
        Promise.all([
          client.user.findUnique({ where: { id: 1 }, select: { name: true } }),
          client.user.findUnique({ where: { id: 1 }, select: { name: true } }),
        ]),
      Array(2).fill({
        resource: 'user',
        id: '1',
        ids: ['1'],
        count: 1,
        fields: ['name'],
        filter: { id: '?' },
        operation: 'findUnique',
      }),
    ],
    [
      'a relation that leads to nothing',
      (client) => client.post.findMany({ where: { id: 'p2' }, include: { reviewer: true } }),
      [],
    ],
    ['other models', (client) => client.post.findMany({ include: { comments: true } }), []],
    [
      'counts, aggregates and groups, which give no records',
      (client) =>
        Promise.all([
          client.user.count(),
          client.user.aggregate({ _max: { id: true } }),
          client.user.groupBy({ by: ['name'], orderBy: { name: 'asc' } }),
        ]),
      [],
    ],
  ])('%s', async (_, work, expected) => {
    const unaudited = await work(plain)
    const { result, entries } = await reading(() => work(prisma as unknown as typeof plain))
    expect(entries).toEqual(expected)
    expect(result).toStrictEqual(unaudited)
    expect(JSON.stringify(result)).toBe(JSON.stringify(unaudited)) // the order of keys, too
  })

  it('in what a write includes is recorded beside the write', async () => {
    const since = await db.lastSeq()
    const result = await prisma.post.update({
      where: { id: 'p1' },
      data: { views: { increment: 1 } },
      select: { id: true, author: { select: { name: true } } },
    })
    expect(result).toStrictEqual({ id: 'p1', author: { name: 'Ada' } })
    const entries = await db.entries(since)
    expect(entries.map(({ action }) => action)).toEqual(['post.update', 'user.read'])
    expect(entries.slice(1).map(readOf)).toEqual([
      {
        resource: 'user',
        id: '1',
        ids: ['1'],
        count: 1,
        fields: ['name'],
        via: 'post.author',
        operation: 'update',
      },
    ])
  })

  it('by an …OrThrow that finds nothing is an attempt, and any other failure none', async () => {
    const { entries } = await reading(() =>
      expect(prisma.user.findUniqueOrThrow({ where: { id: 404 } })).rejects.toMatchObject({ code: 'P2025' }),
    )
    expect(entries).toEqual([
      {
        ...{ resource: 'user', id: null, ids: [], count: 0, fields: fields.user },
        ...{ filter: { id: '?' }, operation: 'findUniqueOrThrow' },
      },
    ])
    const invalid = await reading(() =>
      expect(prisma.user.findMany({ where: { nope: 1 } as never })).rejects.toMatchObject({
        name: 'PrismaClientValidationError',
      }),
    )
    expect(invalid.entries).toEqual([])
  })

  it('lists at most a thousand ids in an entry', async () => {
    await db.sql(`INSERT INTO "Warehouse" VALUES ('big', 'Bonn');
      INSERT INTO "Shelf" ("warehouseCode", number) SELECT 'big', n FROM generate_series(1, 2500) n`)
    const { entries } = await reading(() =>
      prisma.shelf.findMany({ where: { warehouseCode: 'big' }, orderBy: { number: 'asc' } }),
    )
    expect(entries.map(({ id, count, ids }) => [id, count, ids.length, ids[0]])).toEqual([
      [null, 1000, 1000, '["big","1"]'],
      [null, 1000, 1000, '["big","1001"]'],
      [null, 500, 500, '["big","2001"]'],
    ])
  })
})

describe('the result', () => {
  it("keeps to the client's own omit", async () => {
    const omit = { user: { id: true, email: true } } as const
    const make = () => new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }), omit })
    const [unaudited, omitting] = [make(), withAudit(make(), { reads: ['User'] })]
    try {
      for (const args of [
        {},
        { omit: { email: false } },
        { omit: { id: false } },
        { select: { name: true } },
      ] as const) {
        const query = { where: { id: 1 }, ...args } as { where: { id: number } }
        const { result, entries } = await reading(() => omitting.user.findUnique(query))
        expect(result).toStrictEqual(await unaudited.user.findUnique(query))
        expect(entries.map(({ ids }) => ids)).toEqual([['1']])
        expect(entries.map((entry) => entry.fields)).toEqual([
          fields.user.filter((name) => name in (result ?? {})),
        ])
      }
    } finally {
      await Promise.all([unaudited.$disconnect(), omitting.$disconnect()])
    }
  })

  it.each(['before', 'after'])('has the fields that an extension %s withAudit computes', async (order) => {
    const extend = <Client extends typeof plain>(client: Client) =>
      client.$extends({
        result: {
          user: {
            label: { needs: { id: true, name: true }, compute: ({ id, name }) => `${name} #${id}` },
            shout: { needs: { name: true }, compute: ({ name }) => `${name}!` },
          },
        },
      })
    const unaudited = extend(plain)
    const audited =
      order === 'before'
        ? (withAudit(
            extend(createClient(db.url)) as never,
            { reads: ['User'] } as never,
          ) as unknown as typeof unaudited)
        : (extend(
            withAudit(createClient(db.url), { reads: ['User'] }) as never,
          ) as unknown as typeof unaudited)
    const works: ((client: typeof unaudited) => PromiseLike<object | null>)[] = [
      (client) => client.user.findFirst({ where: { id: 1 } }),
      (client) => client.user.findFirst({ where: { id: 1 }, select: { label: true } }),
      (client) => client.user.findFirst({ where: { id: 1 }, select: { shout: true } }),
      (client) => client.user.findFirst({ where: { id: 1 }, omit: { id: true } }),
      (client) => client.user.findFirst({ where: { id: 1 }, omit: { id: true, label: true } }),
      (client) =>
        client.post.findFirst({ where: { id: 'p1' }, select: { author: { select: { label: true } } } }),
      (client) => client.post.findFirst({ where: { id: 'p1' }, include: { author: { omit: { id: true } } } }),
    ]
    for (const work of works) {
      const expected = await work(unaudited)
      const { result, entries } = await reading(() => work(audited))
      // Prisma's objects with computed fields are proxies, which are only ever equal to themselves
      expect(JSON.stringify(result)).toBe(JSON.stringify(expected))
      expect(Object.keys(result ?? {})).toEqual(Object.keys(expected ?? {}))
      expect(entries.map(({ ids }) => ids)).toEqual([['1']])
    }
  })

  it('goes through other query extensions without a trace of the audit', async () => {
    const seen: unknown[] = []
    const watch = {
      query: {
        user: {
          async findMany({ args, query }: { args: object; query: (args: object) => Promise<unknown> }) {
            const result = await query(args)
            seen.push(args, result)
            return result
          },
        },
      },
    }
    const outer = withAudit(
      createClient(db.url).$extends(watch as never) as never,
      { reads: ['User'] } as never,
    ) as unknown as typeof plain
    const args = { select: { name: true }, where: { id: 1 } }
    const { result, entries } = await reading(() => outer.user.findMany(args))
    expect(result).toStrictEqual([{ name: 'Ada' }])
    expect(seen).toStrictEqual([args, [{ name: 'Ada' }]])
    expect(entries.map(({ ids }) => ids)).toEqual([['1']])
  })
})

describe.each([1, 10])('in a transaction, with a pool of %i,', (max) => {
  const pooled = withAudit(createClient(db.url, { max }), options)

  it('a read is recorded though it is rolled back', async () => {
    const { entries } = await reading(
      () =>
        expect(
          pooled.$transaction(async (tx) => {
            expect(await tx.user.findMany({ select: { name: true }, where: { id: 1 } })).toStrictEqual([
              { name: 'Ada' },
            ])
            throw new Error('changed my mind')
          }),
        ).rejects.toThrow('changed my mind'),
      pooled,
    )
    expect(entries.map(({ ids }) => ids)).toEqual([['1']])
  })

  it('reads inside and outside at once do not wait for each other', async () => {
    const { entries } = await reading(async () => {
      let outside: PromiseLike<unknown> | undefined
      await pooled.$transaction(async (tx) => {
        outside = pooled.user.findUnique({ where: { id: 2 } }).then()
        await new Promise((resolve) => setTimeout(resolve, 50))
        await tx.user.findUnique({ where: { id: 1 } })
      })
      await outside
    }, pooled)
    expect(entries.map(({ ids }) => ids).sort()).toEqual([['1'], ['2']])
  })

  it('each read of a $transaction([…]) is recorded', async () => {
    const { result, entries } = await reading(() =>
      pooled.$transaction([
        pooled.user.findMany({ select: { name: true }, orderBy: { id: 'asc' } }),
        pooled.user.findUnique({ where: { id: 1 }, select: { name: true } }),
      ]),
    )
    expect(result).toStrictEqual([[{ name: 'Ada' }, { name: 'Bob' }, { name: 'Bob' }], { name: 'Ada' }])
    expect(entries.map(({ ids }) => ids).sort()).toEqual([['1'], ['1', '2', '3']])
  })

  it('a $transaction([…]) that fails records what was read, and nothing of what it did not get to', async () => {
    const { entries } = await reading(
      () =>
        expect(
          pooled.$transaction([
            pooled.user.findUnique({ where: { id: 1 } }),
            pooled.$queryRaw`SELECT 1 / 0`,
            pooled.user.findUnique({ where: { id: 2 } }),
          ]),
        ).rejects.toMatchObject({ code: 'P2010' }),
      pooled,
    )
    expect(entries.map(({ ids }) => ids)).toEqual([['1']])
  })
})

describe('without', () => {
  it('an actor that is required, nothing is read', async () => {
    const strict = withAudit(createClient(db.url), { reads: ['User'], requireActor: true })
    await expect(strict.user.findMany()).rejects.toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
    await expect(strict.post.findMany({ include: { author: true } })).rejects.toMatchObject({
      code: 'AUDIT_ACTOR_REQUIRED',
    })
    expect(await strict.post.count()).toBe(2)
    const { entries } = await reading(() =>
      withAuditContext({ actor: { id: 'dr', type: 'user' } }, () =>
        strict.user.findUnique({ where: { id: 1 } }),
      ),
    )
    expect(entries.map(({ ids }) => ids)).toEqual([['1']])
  })

  it('the option, no read is recorded', async () => {
    const { entries } = await reading(() =>
      withAudit(createClient(db.url)).user.findMany({ include: { posts: true } }),
    )
    expect(entries).toEqual([])
  })

  it('a log that can be written, the result is given all the same, and onError hears of it', async () => {
    const heard: string[] = []
    const unlucky = withAudit(createClient(db.url), {
      reads: ['User'],
      onError: ({ code }) => heard.push(code),
    })
    await db.sql(`ALTER TABLE audit_logs ADD CONSTRAINT no_reads CHECK (action NOT LIKE '%.read') NOT VALID`)
    try {
      expect(await unlucky.user.findFirst({ where: { id: 1 }, select: { name: true } })).toStrictEqual({
        name: 'Ada',
      })
      await unlucky.$audit.flush()
      expect(heard).toEqual(['AUDIT_NOT_WRITTEN'])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT no_reads')
    }
  })
})
