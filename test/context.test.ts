import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type AuditContext, AuditError, getAuditContext, withAudit, withAuditContext } from '../src/index.ts'
import { createClient, createDatabase, type Entry } from './support/database.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

let counter = 0
const unique = (prefix: string) => `${prefix}-${++counter}`
const createTag = (client: Pick<typeof prisma, 'tag'> = prisma) =>
  client.tag.create({ data: { name: unique('tag') } })

async function entriesOf(work: () => PromiseLike<unknown>): Promise<Entry[]> {
  const since = await db.lastSeq()
  await work()
  return db.changes(since)
}

async function entryOf(work: () => PromiseLike<unknown>): Promise<Entry> {
  const [entry, ...others] = await entriesOf(work)
  expect(others).toEqual([])
  return entry as Entry
}

/** The error of a context that is refused; fails when it is not, or when its function ran. */
function refusal(context: unknown): AuditError {
  let ran = false
  try {
    withAuditContext(context as AuditContext, () => {
      ran = true
    })
  } catch (error) {
    expect(ran).toBe(false)
    expect(error).toBeInstanceOf(AuditError)
    return error as AuditError
  }
  throw new Error('the context was not refused')
}

const ada = { id: 'ada', type: 'user' } as const
const everything: AuditContext = {
  actor: { id: 'usr_1', type: 'api_key', email: 'ada@example.com' },
  requestId: 'req-1',
  ip: '203.0.113.9',
  userAgent: 'curl/8.5.0',
  organizationId: 'org_1',
  reason: 'support ticket 4711',
  metadata: { plan: 'pro', nested: { list: [1, null, 'x', true] } },
}

describe('an entry', () => {
  it('has every column filled from the context', async () => {
    const before = Date.now() - 1_000
    const name = unique('tag')
    let id = 0
    const entry = await entryOf(async () => {
      id = (await withAuditContext(everything, () => prisma.tag.create({ data: { name } }))).id
    })
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      timestamp: expect.any(Date),
      action: 'tag.create',
      actor_id: 'usr_1',
      actor_type: 'api_key',
      actor_email: 'ada@example.com',
      resource_type: 'tag',
      resource_id: String(id),
      outcome: 'success',
      reason: 'support ticket 4711',
      details: {
        operation: 'create',
        after: { id, name },
        metadata: { plan: 'pro', nested: { list: [1, null, 'x', true] } },
      },
      request_id: 'req-1',
      ip: '203.0.113.9',
      user_agent: 'curl/8.5.0',
      organization_id: 'org_1',
      seq: expect.stringMatching(/^\d+$/),
      transaction_id: expect.stringMatching(/^\d+$/),
    })
    expect(entry.timestamp.getTime()).toBeGreaterThan(before)
    expect(entry.timestamp.getTime()).toBeLessThan(Date.now() + 1_000)
  })

  it('has the system as its actor and nothing else where there is no context', async () => {
    const name = unique('tag')
    const entry = await entryOf(() => prisma.tag.create({ data: { name } }))
    expect(entry).toMatchObject({
      actor_id: 'system',
      actor_type: 'system',
      actor_email: null,
      reason: null,
      request_id: null,
      ip: null,
      user_agent: null,
      organization_id: null,
    })
    expect(entry.details).toEqual({ operation: 'create', after: { id: expect.any(Number), name } })
  })

  it('has the id of the transaction that PostgreSQL gives', async () => {
    const entries = await entriesOf(() =>
      prisma.$transaction(async (tx) => {
        const [{ id } = { id: '' }] = await tx.$queryRaw<
          { id: string }[]
        >`SELECT pg_current_xact_id()::text AS id`
        await tx.tag.create({ data: { name: id } })
      }),
    )
    expect(entries.map((entry) => entry.details.after.name)).toEqual(
      entries.map((entry) => entry.transaction_id),
    )
  })

  it('has ids that sort by time, also within one statement', async () => {
    const entries = await entriesOf(async () => {
      await prisma.tag.createMany({ data: Array.from({ length: 50 }, () => ({ name: unique('tag') })) })
      await sleep(5)
      await createTag()
    })
    const ids = entries.map((entry) => entry.id)
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(51)
  })

  it('keeps quotes, percent signs, emoji and line breaks of a context as they are', async () => {
    const odd = `it's "quoted" \\ $1 %s 🦆\n\t{}`
    const entry = await entryOf(() =>
      withAuditContext(
        {
          actor: { id: odd, type: 'user', email: odd },
          requestId: odd,
          userAgent: odd,
          organizationId: odd,
          reason: odd,
          metadata: { [odd]: odd },
        },
        () => createTag(),
      ),
    )
    expect([
      entry.actor_id,
      entry.actor_email,
      entry.request_id,
      entry.user_agent,
      entry.organization_id,
      entry.reason,
      entry.details.metadata,
    ]).toEqual([odd, odd, odd, odd, odd, odd, { [odd]: odd }])
  })

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::1', '::1'],
    ['2001:db8::ff00:42:8329', '2001:db8::ff00:42:8329'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['::ffff:192.0.2.128', '::ffff:192.0.2.128'],
  ])('stores %s as inet', async (ip, stored) => {
    const entry = await entryOf(() => withAuditContext({ ip }, () => createTag()))
    expect(entry.ip).toBe(stored)
    const [row] = await db.sql(
      'SELECT pg_typeof(ip)::text AS type, masklen(ip) AS bits FROM audit_logs WHERE id = $1',
      [entry.id],
    )
    expect(row).toEqual({ type: 'inet', bits: ip.includes(':') ? 128 : 32 })
  })

  it('takes 255 characters where the column has 255, whatever their bytes', async () => {
    const long = `${'🦆'.repeat(127)}é`
    const entry = await entryOf(() =>
      withAuditContext({ actor: { id: long, type: 'user' }, requestId: long, organizationId: long }, () =>
        createTag(),
      ),
    )
    expect([entry.actor_id, entry.request_id, entry.organization_id]).toEqual([long, long, long])
  })

  it('drops what JSON drops from metadata, and keeps what it keeps', async () => {
    const entry = await entryOf(() =>
      withAuditContext(
        {
          metadata: {
            when: new Date(0),
            nothing: null,
            missing: undefined,
            deep: { missing: undefined, n: -0.5 },
          },
        },
        () => createTag(),
      ),
    )
    expect(entry.details.metadata).toEqual({
      when: '1970-01-01T00:00:00.000Z',
      nothing: null,
      deep: { n: -0.5 },
    })
  })

  it('has values in metadata as an event has them in its details', async () => {
    const given = {
      big: { n: 1n },
      notFinite: [1, Number.NaN, -Infinity],
      map: new Map([[1, 2n]]),
      set: new Set([1]),
      boxed: { toJSON: () => 1n },
      bytes: Buffer.from('hello'),
      error: new RangeError('too far'),
    }
    const expected = {
      big: { n: '1' },
      notFinite: [1, 'NaN', '-Infinity'],
      map: { 1: '2' },
      set: [1],
      boxed: '1',
      bytes: 'aGVsbG8=',
      error: { name: 'RangeError', message: 'too far' },
    }
    const change = await entryOf(() => withAuditContext({ metadata: given }, () => createTag()))
    expect(change.details.metadata).toEqual(expected)
    const event = await withAuditContext({ metadata: given }, () =>
      prisma.$audit.record({ action: 'report.run', details: given }),
    )
    expect(event.details).toEqual({ ...expected, metadata: expected })
  })

  it('may be about an application whose metadata is called like our own keys', async () => {
    const metadata = { before: 1, after: 2, changed: 3, operation: 4, metadata: 5, cause: 6 }
    const entry = await entryOf(() => withAuditContext({ metadata }, () => createTag()))
    expect(entry.details).toEqual({ operation: 'create', after: expect.anything(), metadata })
  })
})

describe('withAuditContext', () => {
  it('gives what a sync function returns, and throws what it throws', () => {
    expect(withAuditContext({ actor: ada }, () => 42)).toBe(42)
    expect(() =>
      withAuditContext({ actor: ada }, () => {
        throw new RangeError('mine')
      }),
    ).toThrow(RangeError)
  })

  it('gives a promise for what an async function returns, and rejects with what it rejects with', async () => {
    const result = withAuditContext({ actor: ada }, async () => 42)
    expect(result).toBeInstanceOf(Promise)
    expect(await result).toBe(42)
    await expect(
      withAuditContext({ actor: ada }, async () => {
        throw new RangeError('mine')
      }),
    ).rejects.toThrow(RangeError)
  })

  it('runs a Prisma call that its function returns without await', async () => {
    const entry = await entryOf(() => withAuditContext({ actor: ada }, () => createTag()))
    expect(entry.actor_id).toBe('ada')
  })

  it('starts a Prisma call that its function returns, though nobody awaits the result', async () => {
    const entry = await entryOf(async () => {
      const before = await db.lastSeq()
      void withAuditContext({ actor: ada }, () => createTag())
      for (let turn = 0; turn < 500 && (await db.lastSeq()) === before; turn++) await sleep(10)
    })
    expect(entry.actor_id).toBe('ada')
  })

  it('runs once what it runs, however often the promise is awaited', async () => {
    const entries = await entriesOf(async () => {
      const running = withAuditContext({ actor: ada }, () => createTag())
      await running
      await running
    })
    expect(entries).toHaveLength(1)
  })

  it('rejects with the error of Prisma', async () => {
    const name = unique('taken')
    await prisma.tag.create({ data: { name } })
    await expect(
      withAuditContext({ actor: ada }, () => prisma.tag.create({ data: { name } })),
    ).rejects.toMatchObject({ code: 'P2002' })
  })

  it('reaches across timers, callbacks and other awaits', async () => {
    const entry = await entryOf(() =>
      withAuditContext({ actor: ada }, async () => {
        await sleep(5)
        await new Promise<void>((resolve) => setImmediate(resolve))
        await Promise.all([sleep(1), sleep(2)])
        await createTag()
      }),
    )
    expect(entry.actor_id).toBe('ada')
  })

  it('ends with its function', async () => {
    withAuditContext({ actor: ada }, () => {})
    await withAuditContext({ actor: ada }, async () => {})
    expect(getAuditContext()).toBeUndefined()
    expect((await entryOf(() => createTag())).actor_id).toBe('system')
  })

  it('nests: the inner one adds to the outer one and overrides it field by field', async () => {
    const entry = await entryOf(() =>
      withAuditContext(everything, () =>
        withAuditContext({ actor: ada, reason: 'because' }, () => createTag()),
      ),
    )
    expect(entry).toMatchObject({
      actor_id: 'ada',
      actor_type: 'user',
      actor_email: null,
      reason: 'because',
      request_id: 'req-1',
      ip: '203.0.113.9',
      user_agent: 'curl/8.5.0',
      organization_id: 'org_1',
      details: { metadata: everything.metadata },
    })
  })

  it('merges metadata key by key, one level deep', async () => {
    const entry = await entryOf(() =>
      withAuditContext({ metadata: { a: 1, b: { x: 1 }, c: 1 } }, () =>
        withAuditContext({ metadata: { b: { y: 2 }, d: 4 } }, () => createTag()),
      ),
    )
    expect(entry.details.metadata).toEqual({ a: 1, b: { y: 2 }, c: 1, d: 4 })
  })

  it('does not let undefined override', async () => {
    const entry = await entryOf(() =>
      withAuditContext({ actor: ada, requestId: 'outer' }, () =>
        withAuditContext({ actor: undefined, requestId: undefined, reason: 'r' }, () => createTag()),
      ),
    )
    expect(entry).toMatchObject({ actor_id: 'ada', request_id: 'outer', reason: 'r' })
  })

  it('returns to the outer context after the inner one', async () => {
    const entries = await entriesOf(() =>
      withAuditContext({ actor: ada }, async () => {
        await withAuditContext({ actor: { id: 'eda', type: 'user' } }, () => createTag())
        await createTag()
      }),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['eda', 'ada'])
  })

  it('does not mix 100 contexts that run at the same time', async () => {
    const entries = await entriesOf(() =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          withAuditContext(
            {
              actor: { id: `actor ${index}`, type: 'user' },
              requestId: `request ${index}`,
              metadata: { index },
            },
            async () => {
              await sleep(index % 7)
              await prisma.tag.create({ data: { name: `context ${index}` } })
              await sleep(index % 5)
              await prisma.tag.update({
                where: { name: `context ${index}` },
                data: { name: `done ${index}` },
              })
            },
          ),
        ),
      ),
    )
    expect(entries).toHaveLength(200)
    const expected = (entry: Entry) => {
      const [, index] = (entry.details.after.name as string).split(' ')
      return [`actor ${index}`, `request ${index}`, Number(index)]
    }
    for (const entry of entries) {
      expect([entry.actor_id, entry.request_id, entry.details.metadata.index]).toEqual(expected(entry))
    }
  })
})

describe('in transactions', () => {
  it('a context around an interactive transaction is on every entry', async () => {
    const entries = await entriesOf(() =>
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
    const entries = await entriesOf(() =>
      prisma.$transaction(async (tx) => {
        await createTag(tx)
        await withAuditContext({ actor: ada }, () => createTag(tx))
        await createTag(tx)
      }),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['system', 'ada', 'system'])
  })

  it('a context around a batch is on every entry', async () => {
    const entries = await entriesOf(() =>
      withAuditContext({ actor: ada }, () => prisma.$transaction([createTag(), createTag()])),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['ada', 'ada'])
  })

  it('a batch of calls made in a context, run in another, has the one in which it runs', async () => {
    const entries = await entriesOf(async () => {
      const calls = withAuditContext({ actor: ada }, () => [createTag(), createTag()])
      await withAuditContext({ actor: { id: 'eda', type: 'user' } }, () => prisma.$transaction(calls))
    })
    expect(entries.map((entry) => entry.actor_id)).toEqual(['eda', 'eda'])
  })

  it('does not mix batches and transactions that run at the same time', async () => {
    const entries = await entriesOf(() =>
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
    const entries = await entriesOf(async () => {
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
    const entries = await entriesOf(() =>
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

describe('getAuditContext', () => {
  it('gives nothing outside any context', () => {
    expect(getAuditContext()).toBeUndefined()
  })

  it('gives the context, merged from all that enclose it', () => {
    const given = withAuditContext(everything, () =>
      withAuditContext({ actor: ada, metadata: { plan: 'free' } }, () => getAuditContext()),
    )
    expect(given).toEqual({
      ...everything,
      actor: ada,
      metadata: { plan: 'free', nested: { list: [1, null, 'x', true] } },
    })
  })

  it('gives a context of its own to each of many at the same time', async () => {
    const ids = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        withAuditContext({ requestId: `request ${index}` }, async () => {
          await sleep(index % 10)
          return getAuditContext()?.requestId
        }),
      ),
    )
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => `request ${index}`))
  })

  it('is not changed by a later change of the object that was given', async () => {
    const actor = { id: 'ada', type: 'user' as 'user' | 'system' }
    const metadata: Record<string, unknown> = { a: 1 }
    const entry = await entryOf(() =>
      withAuditContext({ actor, metadata }, async () => {
        actor.id = 'x'.repeat(300)
        actor.type = 'nobody' as 'system'
        metadata.b = 2n
        await createTag()
      }),
    )
    expect([entry.actor_id, entry.actor_type, entry.details.metadata]).toEqual(['ada', 'user', { a: 1 }])
  })
})

describe('the option context', () => {
  const requests = new AsyncLocalStorage<AuditContext>()
  const client = withAudit(createClient(db.url), { context: () => requests.getStore() })

  it('gives the context of an application with its own AsyncLocalStorage', async () => {
    const entry = await entryOf(() =>
      requests.run({ actor: ada, requestId: 'own' }, async () => createTag(client)),
    )
    expect([entry.actor_id, entry.request_id]).toEqual(['ada', 'own'])
  })

  it('may give none', async () => {
    const entry = await entryOf(() => createTag(client))
    expect(entry.actor_id).toBe('system')
  })

  it('is overridden by withAuditContext field by field, metadata key by key', async () => {
    const entry = await entryOf(() =>
      requests.run({ actor: ada, requestId: 'own', metadata: { a: 1, b: 1 } }, async () =>
        withAuditContext({ requestId: 'inner', metadata: { b: 2 } }, () => createTag(client)),
      ),
    )
    expect([entry.actor_id, entry.request_id, entry.details.metadata]).toEqual([
      'ada',
      'inner',
      { a: 1, b: 2 },
    ])
  })

  it('is asked for each call, in transactions too', async () => {
    const entries = await entriesOf(() =>
      client.$transaction(async (tx) => {
        await requests.run({ actor: ada }, async () => createTag(tx))
        await requests.run({ actor: { id: 'eda', type: 'user' } }, async () => createTag(tx))
      }),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['ada', 'eda'])
  })

  it('that gives an invalid context makes the write fail before it runs', async () => {
    const name = unique('tag')
    const entries = await entriesOf(async () => {
      const running = requests.run({ ip: 'nowhere' }, async () => client.tag.create({ data: { name } }))
      const error = await running.catch((error: unknown) => error)
      expect(error).toBeInstanceOf(AuditError)
      expect(error).toMatchObject({ code: 'AUDIT_INVALID_CONTEXT' })
    })
    expect(entries).toEqual([])
    expect(await client.tag.findUnique({ where: { name } })).toBeNull()
  })

  it('that throws makes the write fail with its error, before it runs', async () => {
    const failing = withAudit(createClient(db.url), {
      context: () => {
        throw new RangeError('no session')
      },
    })
    const entries = await entriesOf(() => expect(createTag(failing)).rejects.toThrow(RangeError))
    expect(entries).toEqual([])
  })
})

describe('the actor', () => {
  it('is the option actor where no context names one', async () => {
    const client = withAudit(createClient(db.url), {
      actor: { id: 'nightly', type: 'system', email: 'ops@example.com' },
    })
    const entries = await entriesOf(async () => {
      await createTag(client)
      await withAuditContext({ requestId: 'still the default' }, () => createTag(client))
      await withAuditContext({ actor: ada }, () => createTag(client))
    })
    expect(entries.map((entry) => [entry.actor_id, entry.actor_type, entry.actor_email])).toEqual([
      ['nightly', 'system', 'ops@example.com'],
      ['nightly', 'system', 'ops@example.com'],
      ['ada', 'user', null],
    ])
  })

  describe('that is required', () => {
    const strict = withAudit(createClient(db.url), { requireActor: true })
    const writes: Record<string, () => PromiseLike<unknown>> = {
      create: () => createTag(strict),
      updateMany: () => strict.tag.updateMany({ data: { name: 'x' }, where: { id: -1 } }),
      deleteMany: () => strict.tag.deleteMany({ where: { id: -1 } }),
      'a nested write': () =>
        strict.category.create({ data: { name: 'a', children: { create: { name: 'b' } } } }),
      $executeRaw: () => strict.$executeRaw`INSERT INTO "Tag" (name) VALUES ('nobody')`,
      'raw SQL that can not be captured': () => strict.$executeRaw`TRUNCATE "Reading"`,
      'a batch': () => strict.$transaction([createTag(strict)]),
      'an interactive transaction': () => strict.$transaction((tx) => createTag(tx)),
    }

    it.each(Object.keys(writes))('refuses %s without one, and writes nothing', async (kind) => {
      const entries = await entriesOf(async () => {
        const error = await Promise.resolve(writes[kind]?.()).catch((error: unknown) => error)
        expect(error).toBeInstanceOf(AuditError)
        expect(error).toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
        expect((error as AuditError).message).toMatch(/withAuditContext\(\{ actor/)
      })
      expect(entries).toEqual([])
      expect(await db.sql(`SELECT FROM "Tag" WHERE name IN ('nobody', 'x')`)).toEqual([])
    })

    it('undoes what a transaction wrote before the write without one', async () => {
      const entries = await entriesOf(async () => {
        const running = strict.$transaction(async (tx) => {
          await withAuditContext({ actor: ada }, () => createTag(tx))
          await createTag(tx)
        })
        await expect(running).rejects.toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
      })
      expect(entries).toEqual([])
    })

    it('lets reads pass, and writes that name one', async () => {
      await strict.tag.findMany()
      await strict.$queryRaw`SELECT 1`
      const entry = await entryOf(() => withAuditContext({ actor: ada }, () => createTag(strict)))
      expect(entry.actor_id).toBe('ada')
    })

    it('may be named by the options actor and context', async () => {
      const named = withAudit(createClient(db.url), {
        requireActor: true,
        actor: { id: 'worker', type: 'system' },
      })
      const asked = withAudit(createClient(db.url), { requireActor: true, context: () => ({ actor: ada }) })
      const entries = await entriesOf(async () => {
        await createTag(named)
        await createTag(asked)
      })
      expect(entries.map((entry) => entry.actor_id)).toEqual(['worker', 'ada'])
    })
  })
})

describe('a context that the log can not store is refused before its function runs', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = { again: cycle }
  const shared = { n: 1 }

  it.each<[string, unknown, RegExp]>([
    ['no object', null, /context/],
    ['a string', 'ada', /context/],
    ['an unknown key', { user: 'ada' }, /user/],
    ['an unknown key of the actor', { actor: { ...ada, name: 'Ada' } }, /actor/],
    ['an unknown actor type', { actor: { id: 'ada', type: 'robot' } }, /"user"\|"system"\|"api_key"/],
    ['an actor without an id', { actor: { type: 'user' } }, /actor\.id/],
    ['an actor with an empty id', { actor: { id: '', type: 'user' } }, /actor\.id/],
    ['an actor whose id is a number', { actor: { id: 7, type: 'user' } }, /actor\.id/],
    ['an actor id of 256 characters', { actor: { id: 'x'.repeat(256), type: 'user' } }, /255/],
    ['a request id of 256 characters', { requestId: 'x'.repeat(256) }, /requestId/],
    ['an organization id of 256 characters', { organizationId: 'x'.repeat(256) }, /organizationId/],
    ['an email of 256 characters', { actor: { ...ada, email: 'x'.repeat(256) } }, /email/],
    ['a name instead of an address', { ip: 'localhost' }, /IPv4 or IPv6/],
    ['an address with a port', { ip: '127.0.0.1:80' }, /IPv4 or IPv6/],
    ['an address with a prefix length', { ip: '10.0.0.0/8' }, /IPv4 or IPv6/],
    ['an address out of range', { ip: '256.0.0.1' }, /IPv4 or IPv6/],
    ['two addresses', { ip: '10.0.0.1, 10.0.0.2' }, /IPv4 or IPv6/],
    ['an empty address', { ip: '' }, /IPv4 or IPv6/],
    ['an IPv6 address with a zone', { ip: 'fe80::1%eth0' }, /IPv4 or IPv6/],
    ['a NUL in the actor id', { actor: { id: 'a\0b', type: 'user' } }, /NUL/],
    ['a NUL in the reason', { reason: 'a\0b' }, /NUL/],
    ['a lone surrogate in the user agent', { userAgent: 'x\ud800' }, /surrogate/],
    ['a null field', { requestId: null }, /requestId/],
    ['metadata that is a list', { metadata: [1] }, /metadata/],
    ['metadata that is a string', { metadata: 'x' }, /metadata/],
    ['a function in metadata', { metadata: { f: () => 1 } }, /metadata\.f is a function/],
    ['a symbol in metadata', { metadata: { s: Symbol('s') } }, /metadata\.s is a symbol/],
    ['a Promise in metadata', { metadata: { p: Promise.resolve() } }, /metadata\.p is a Promise/],
    ['an invalid Date in metadata', { metadata: { d: new Date('x') } }, /metadata\.d is an invalid Date/],
    ['metadata that is no object as JSON', { metadata: new Date(0) }, /metadata is no object in JSON/],
    ['a cycle in metadata', { metadata: cycle }, /refers back/],
    ['a NUL in metadata', { metadata: { a: ['x\0'] } }, /metadata\.a\.0 holds a NUL/],
    ['a lone surrogate in metadata', { metadata: { a: '\udc00' } }, /lone surrogate/],
    [
      'a NUL in a key of metadata',
      { metadata: { a: { 'x\0': 1 } } },
      /metadata\.a\.x\0 has a NUL character or a lone surrogate in its name/,
    ],
    ['a NUL in a top-level key of metadata', { metadata: { 'x\0': 1 } }, /NUL/],
    ['a symbol behind toJSON', { metadata: { x: { toJSON: () => Symbol('s') } } }, /metadata\.x is a symbol/],
  ])('%s', (_, context, message) => {
    const error = refusal(context)
    expect(error.code).toBe('AUDIT_INVALID_CONTEXT')
    expect(error.message).toMatch(message)
  })

  it('an object twice in metadata is no cycle', () => {
    expect(withAuditContext({ metadata: { a: shared, b: shared, c: [shared] } }, () => 'ran')).toBe('ran')
  })

  it('throws at once, not as a rejection', () => {
    expect(() => withAuditContext({ ip: 'x' }, async () => 1)).toThrow(AuditError)
  })

  it('leaves the outer context as it was', () => {
    withAuditContext({ actor: ada }, () => {
      expect(() => withAuditContext({ ip: 'x' }, () => 1)).toThrow(AuditError)
      expect(getAuditContext()).toEqual({ actor: ada })
    })
  })
})

describe('a context that is a function', () => {
  it('is asked for each entry, so it may tell what was not known when it was set', async () => {
    let user: string | undefined
    await withAuditContext(
      () => (user === undefined ? undefined : { actor: { id: user, type: 'user' } }),
      async () => {
        expect(getAuditContext()).toEqual({})
        user = 'ada'
        expect(getAuditContext()).toEqual({ actor: { id: 'ada', type: 'user' } })
      },
    )
  })

  it('adds to the context around it, which it may ask for', async () => {
    await withAuditContext({ requestId: 'req-1', metadata: { a: 1 } }, () =>
      withAuditContext(
        () => ({ reason: `for ${getAuditContext()?.requestId}`, metadata: { b: 2 } }),
        () =>
          withAuditContext({ metadata: { c: 3 } }, () => {
            expect(getAuditContext()).toEqual({
              requestId: 'req-1',
              reason: 'for req-1',
              metadata: { a: 1, b: 2, c: 3 },
            })
          }),
      ),
    )
  })

  it('that gives what the log could not store fails where it is asked', () => {
    withAuditContext(
      () => ({ ip: 'nowhere' }),
      () => {
        expect(() => getAuditContext()).toThrow(expect.objectContaining({ code: 'AUDIT_INVALID_CONTEXT' }))
      },
    )
  })
})
