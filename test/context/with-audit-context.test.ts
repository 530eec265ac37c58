import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { getAuditContext, withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase, type Entry } from '../support/database.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'
import { ada, everything } from './contexts.ts'

const db = await createDatabase()
const prisma = withAudit(createClient(db.url))

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
    const entry = await db.changeOf(() => withAuditContext({ actor: ada }, () => createTag(prisma)))
    expect(entry.actor_id).toBe('ada')
  })

  it('starts a Prisma call that its function returns, though nobody awaits the result', async () => {
    const entry = await db.changeOf(async () => {
      const before = await db.lastSeq()
      void withAuditContext({ actor: ada }, () => createTag(prisma))
      for (let turn = 0; turn < 500 && (await db.lastSeq()) === before; turn++) await sleep(10)
    })
    expect(entry.actor_id).toBe('ada')
  })

  it('runs once what it runs, however often the promise is awaited', async () => {
    const entries = await db.changesOf(async () => {
      const running = withAuditContext({ actor: ada }, () => createTag(prisma))
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
    const entry = await db.changeOf(() =>
      withAuditContext({ actor: ada }, async () => {
        await sleep(5)
        await new Promise<void>((resolve) => setImmediate(resolve))
        await Promise.all([sleep(1), sleep(2)])
        await createTag(prisma)
      }),
    )
    expect(entry.actor_id).toBe('ada')
  })

  it('ends with its function', async () => {
    withAuditContext({ actor: ada }, () => {})
    await withAuditContext({ actor: ada }, async () => {})
    expect(getAuditContext()).toBeUndefined()
    expect((await db.changeOf(() => createTag(prisma))).actor_id).toBe('system')
  })

  it('nests: the inner one adds to the outer one and overrides it field by field', async () => {
    const entry = await db.changeOf(() =>
      withAuditContext(everything, () =>
        withAuditContext({ actor: ada, reason: 'because' }, () => createTag(prisma)),
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
    const entry = await db.changeOf(() =>
      withAuditContext({ metadata: { a: 1, b: { x: 1 }, c: 1 } }, () =>
        withAuditContext({ metadata: { b: { y: 2 }, d: 4 } }, () => createTag(prisma)),
      ),
    )
    expect(entry.details.metadata).toEqual({ a: 1, b: { y: 2 }, c: 1, d: 4 })
  })

  it('does not let undefined override', async () => {
    const entry = await db.changeOf(() =>
      withAuditContext({ actor: ada, requestId: 'outer' }, () =>
        withAuditContext({ actor: undefined, requestId: undefined, reason: 'r' }, () => createTag(prisma)),
      ),
    )
    expect(entry).toMatchObject({ actor_id: 'ada', request_id: 'outer', reason: 'r' })
  })

  it('returns to the outer context after the inner one', async () => {
    const entries = await db.changesOf(() =>
      withAuditContext({ actor: ada }, async () => {
        await withAuditContext({ actor: { id: 'eda', type: 'user' } }, () => createTag(prisma))
        await createTag(prisma)
      }),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['eda', 'ada'])
  })

  it('does not mix 100 contexts that run at the same time', async () => {
    const entries = await db.changesOf(() =>
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
    const entry = await db.changeOf(() =>
      withAuditContext({ actor, metadata }, async () => {
        actor.id = 'x'.repeat(300)
        actor.type = 'nobody' as 'system'
        metadata.b = 2n
        await createTag(prisma)
      }),
    )
    expect([entry.actor_id, entry.actor_type, entry.details.metadata]).toEqual(['ada', 'user', { a: 1 }])
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
