import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AuditError, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { actions } from '../support/entries.ts'
import { errorOf } from '../support/errors.ts'
import { createTag, tagExists } from '../support/tags.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()

describe('wrapping twice', () => {
  it.each<[string, (audited: PrismaClient) => unknown]>([
    ['an audited client', (client) => withAudit(client)],
    ['an extended audited client', (client) => withAudit(client.$extends({}) as unknown as PrismaClient)],
    [
      'an audited client that was extended with a query',
      (client) =>
        withAudit(
          client.$extends({
            query: { $allOperations: ({ args, query }) => query(args) },
          }) as unknown as PrismaClient,
        ),
    ],
    [
      'an audited client that was extended twice',
      (client) =>
        withAudit(client.$extends({ name: 'one' }).$extends({ name: 'two' }) as unknown as PrismaClient),
    ],
  ])('is refused for %s', async (_, wrap) => {
    const client = withAudit(createClient(db.url))
    const error = await errorOf(() => wrap(client))
    expect(error).toBeInstanceOf(AuditError)
    expect(error.code).toBe('AUDIT_ALREADY_WRAPPED')
    expect(error.message).toMatch(/audited already.*Call withAudit once/s)
  })

  it('of the same base client gives two audited clients, each with its own options', async () => {
    const base = createClient(db.url)
    const one = withAudit(base, { actor: { id: 'one', type: 'system' } })
    const two = withAudit(base, { actor: { id: 'two', type: 'system' } })
    const entries = await db.changesOf(async () => {
      await createTag(one)
      await createTag(two)
    })
    expect(entries.map((entry) => entry.actor_id)).toEqual(['one', 'two'])
  })
})

describe('a client that cannot be audited', () => {
  it('has no driver adapter (Prisma Accelerate): AUDIT_NO_ADAPTER', async () => {
    const client = new PrismaClient({ accelerateUrl: 'prisma://accelerate.prisma-data.net/?api_key=none' })
    const error = await errorOf(() => withAudit(client))
    expect(error).toBeInstanceOf(AuditError)
    expect(error.code).toBe('AUDIT_NO_ADAPTER')
    expect(error.message).toMatch(/Accelerate.*new PrismaPg/)
  })

  it.each([undefined, null, 42, {}, { $extends: () => ({}) }])(
    'is none (%j): AUDIT_NO_ADAPTER',
    async (client) => {
      const error = await errorOf(() => withAudit(client as unknown as PrismaClient))
      expect(error).toBeInstanceOf(AuditError)
      expect(error.code).toBe('AUDIT_NO_ADAPTER')
    },
  )

  it.each(['mysql', 'sqlite', 'sqlserver'])('is for %s: AUDIT_UNSUPPORTED_DATABASE', async (provider) => {
    const client = {
      _engineConfig: { adapter: { provider, adapterName: 'other', connect: async () => ({}) } },
      _runtimeDataModel: { models: {}, enums: {}, types: {} },
      $extends: () => ({}),
      $connect: async () => {},
      $transaction: async () => {},
    }
    const error = await errorOf(() => withAudit(client))
    expect(error).toBeInstanceOf(AuditError)
    expect(error.code).toBe('AUDIT_UNSUPPORTED_DATABASE')
    expect(error.message).toContain(provider)
  })
})

describe('a client that had connected before it was wrapped', () => {
  const connections: Record<string, (client: PrismaClient) => Promise<unknown>> = {
    'by $connect': (client) => client.$connect(),
    'by a query': (client) => client.tag.count(),
    'by a transaction': (client) => client.$transaction(async () => {}),
  }

  it.each(Object.keys(connections))('%s refuses its first write: AUDIT_NOT_INTERCEPTED', async (kind) => {
    const client = createClient(db.url)
    await connections[kind]?.(client)
    const prisma = withAudit(client)
    const name = unique('unseen')
    const entries = await db.changesOf(async () => {
      for (const write of [
        () => createTag(prisma, name),
        () => prisma.$transaction([createTag(prisma, name)]),
        () => prisma.$transaction((tx) => createTag(tx, name)),
        () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${name})`,
        () => prisma.$audit.verify(),
      ]) {
        const error = await errorOf(write)
        expect(error).toBeInstanceOf(AuditError)
        expect(error.code).toBe('AUDIT_NOT_INTERCEPTED')
        expect(error.message).toMatch(/Nothing was written.*right after new PrismaClient/s)
      }
    })
    expect(entries).toEqual([])
    expect(await tagExists(db, name)).toBe(false)
  })

  it('works after it has disconnected: the next connection goes through the audit', async () => {
    const client = createClient(db.url)
    await client.$connect()
    const prisma = withAudit(client)
    await expect(prisma.$audit.verify()).rejects.toMatchObject({ code: 'AUDIT_NOT_INTERCEPTED' })
    await prisma.$disconnect()
    expect(actions(await db.changesOf(() => createTag(prisma)))).toEqual(['tag.create'])
  })

  it('or was still connecting never writes without an entry', async () => {
    const client = createClient(db.url)
    const connecting = client.$connect()
    const prisma = withAudit(client)
    const name = unique('racing')
    const entries = await db.changesOf(() => createTag(prisma, name).then(undefined, () => {}))
    await connecting
    expect(entries.length > 0).toBe(await tagExists(db, name))
  })
})

describe('$audit.verify', () => {
  it('passes where everything is in place, without an entry, as often as one likes', async () => {
    const prisma = withAudit(createClient(db.url))
    const entries = await db.changesOf(async () => {
      expect(await prisma.$audit.verify()).toBeUndefined()
      await prisma.$audit.verify()
    })
    expect(entries).toEqual([])
  })

  it('passes with requireActor, as it writes nothing', async () => {
    await withAudit(createClient(db.url), { requireActor: true }).$audit.verify()
  })

  it('rejects with the error of the connection where there is none', async () => {
    const client = withAudit(createClient('postgresql://nobody:nothing@127.0.0.1:1/none'))
    await expect(client.$audit.verify()).rejects.toThrow(/127\.0\.0\.1:1|reach|ECONNREFUSED/)
    await expect(createTag(client)).rejects.toThrow(/127\.0\.0\.1:1|reach|ECONNREFUSED/)
  })

  it('can be tried again after the connection failed', async () => {
    const pool = new pg.Pool({ connectionString: db.url })
    const adapter = new PrismaPg(pool)
    const connect = adapter.connect.bind(adapter)
    let attempts = 0
    adapter.connect = async () => {
      if (attempts++ === 0) throw new Error('the database is starting up')
      return connect()
    }
    const client = new PrismaClient({ adapter })
    onTestFinished(async () => {
      await client.$disconnect()
      await pool.end()
    })
    const prisma = withAudit(client)
    await expect(prisma.$audit.verify()).rejects.toThrow('the database is starting up')
    await prisma.$audit.verify()
    expect(actions(await db.changesOf(() => createTag(prisma)))).toEqual(['tag.create'])
  })
})
