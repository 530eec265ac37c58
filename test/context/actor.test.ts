import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { type AuditContext, AuditError, withAudit, withAuditContext } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'
import { ada } from './contexts.ts'

const db = await createDatabase()

describe('the option context', () => {
  const requests = new AsyncLocalStorage<AuditContext>()
  const client = withAudit(createClient(db.url), { context: () => requests.getStore() })

  it('gives the context of an application with its own AsyncLocalStorage', async () => {
    const entry = await db.changeOf(() =>
      requests.run({ actor: ada, requestId: 'own' }, async () => createTag(client)),
    )
    expect([entry.actor_id, entry.request_id]).toEqual(['ada', 'own'])
  })

  it('may give none', async () => {
    const entry = await db.changeOf(() => createTag(client))
    expect(entry.actor_id).toBe('system')
  })

  it('is overridden by withAuditContext field by field, metadata key by key', async () => {
    const entry = await db.changeOf(() =>
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
    const entries = await db.changesOf(() =>
      client.$transaction(async (tx) => {
        await requests.run({ actor: ada }, async () => createTag(tx))
        await requests.run({ actor: { id: 'eda', type: 'user' } }, async () => createTag(tx))
      }),
    )
    expect(entries.map((entry) => entry.actor_id)).toEqual(['ada', 'eda'])
  })

  it('that gives an invalid context makes the write fail before it runs', async () => {
    const name = unique('tag')
    const entries = await db.changesOf(async () => {
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
    const entries = await db.changesOf(() => expect(createTag(failing)).rejects.toThrow(RangeError))
    expect(entries).toEqual([])
  })
})

describe('the actor', () => {
  it('is the option actor where no context names one', async () => {
    const client = withAudit(createClient(db.url), {
      actor: { id: 'nightly', type: 'system', email: 'ops@example.com' },
    })
    const entries = await db.changesOf(async () => {
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
      'raw SQL that cannot be captured': () => strict.$executeRaw`TRUNCATE "Reading"`,
      'a batch': () => strict.$transaction([createTag(strict)]),
      'an interactive transaction': () => strict.$transaction((tx) => createTag(tx)),
    }

    it.each(Object.keys(writes))('refuses %s without one, and writes nothing', async (kind) => {
      const entries = await db.changesOf(async () => {
        const error = await Promise.resolve(writes[kind]?.()).catch((error: unknown) => error)
        expect(error).toBeInstanceOf(AuditError)
        expect(error).toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
        expect((error as AuditError).message).toMatch(/withAuditContext\(\{ actor/)
      })
      expect(entries).toEqual([])
      expect(await db.sql(`SELECT FROM "Tag" WHERE name IN ('nobody', 'x')`)).toEqual([])
    })

    it('undoes what a transaction wrote before the write without one', async () => {
      const entries = await db.changesOf(async () => {
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
      const entry = await db.changeOf(() => withAuditContext({ actor: ada }, () => createTag(strict)))
      expect(entry.actor_id).toBe('ada')
    })

    it('may be named by the options actor and context', async () => {
      const named = withAudit(createClient(db.url), {
        requireActor: true,
        actor: { id: 'worker', type: 'system' },
      })
      const asked = withAudit(createClient(db.url), { requireActor: true, context: () => ({ actor: ada }) })
      const entries = await db.changesOf(async () => {
        await createTag(named)
        await createTag(asked)
      })
      expect(entries.map((entry) => entry.actor_id)).toEqual(['worker', 'ada'])
    })
  })
})
