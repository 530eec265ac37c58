import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { citext } from '@electric-sql/pglite/contrib/citext'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createScript } from '../scripts/schema-engine.ts'
import { type Audit, AuditError, withAudit, withAuditContext } from '../src/index.ts'
import { Prisma, PrismaClient } from './generated/client/client.ts'
import { createClient, createDatabase, type Database, type Entry } from './support/database.ts'

const db = await createDatabase()
const migration = await readFile('prisma/migrations/20260101000000_audit_log/migration.sql', 'utf8')

let counter = 0
const unique = (prefix: string) => `${prefix}-${++counter}`
const ada = { id: 'ada', type: 'user' } as const

async function entriesOf(work: () => PromiseLike<unknown>, database: Database = db): Promise<Entry[]> {
  const since = await database.lastSeq()
  await work()
  return database.entries(since)
}

function actions(entries: readonly Entry[]): string[] {
  return entries.map((entry) => entry.action)
}

/** The error that something throws or rejects with. */
async function errorOf(work: () => unknown): Promise<AuditError> {
  try {
    await work()
  } catch (error) {
    return error as AuditError
  }
  throw new Error('it should have failed')
}

async function tagExists(name: string, database: Database = db): Promise<boolean> {
  return (await database.sql('SELECT FROM "Tag" WHERE name = $1', [name])).length > 0
}

const createTag = (client: { tag: PrismaClient['tag'] }, name = unique('tag')) =>
  client.tag.create({ data: { name } })

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
    const entries = await entriesOf(async () => {
      await createTag(one)
      await createTag(two)
    })
    expect(entries.map((entry) => entry.actor_id)).toEqual(['one', 'two'])
  })
})

describe('a client that can not be audited', () => {
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
    const entries = await entriesOf(async () => {
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
    expect(await tagExists(name)).toBe(false)
  })

  it('works after it has disconnected: the next connection goes through the audit', async () => {
    const client = createClient(db.url)
    await client.$connect()
    const prisma = withAudit(client)
    await expect(prisma.$audit.verify()).rejects.toMatchObject({ code: 'AUDIT_NOT_INTERCEPTED' })
    await prisma.$disconnect()
    expect(actions(await entriesOf(() => createTag(prisma)))).toEqual(['tag.create'])
  })

  it('or was still connecting never writes without an entry', async () => {
    const client = createClient(db.url)
    const connecting = client.$connect()
    const prisma = withAudit(client)
    const name = unique('racing')
    const entries = await entriesOf(() => createTag(prisma, name).then(undefined, () => {}))
    await connecting
    expect(entries.length > 0).toBe(await tagExists(name))
  })
})

describe('$audit.verify', () => {
  it('passes where everything is in place, without an entry, as often as one likes', async () => {
    const prisma = withAudit(createClient(db.url))
    const entries = await entriesOf(async () => {
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
    expect(actions(await entriesOf(() => createTag(prisma)))).toEqual(['tag.create'])
  })
})

describe('a database without the log', async () => {
  const bare = await createDatabase()
  await bare.sql('DROP TABLE audit_logs')

  it('refuses every write with AUDIT_TABLE_MISSING and the fix; nothing is written', async () => {
    const prisma = withAudit(createClient(bare.url))
    const name = unique('unlogged')
    for (const write of [
      () => prisma.$audit.verify(),
      () => createTag(prisma, name),
      () => prisma.$transaction([createTag(prisma, name)]),
      () => prisma.$transaction((tx) => createTag(tx, name)),
      () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${name})`,
      () => prisma.$executeRaw`TRUNCATE "Tag" CASCADE`,
    ]) {
      const error = await errorOf(write)
      expect(error).toBeInstanceOf(AuditError)
      expect(error.code).toBe('AUDIT_TABLE_MISSING')
      expect(error.message).toMatch(
        /"audit_logs" is not in the database.*Nothing was written.*prisma-extension-audit init.*prisma migrate deploy/s,
      )
    }
    expect(await tagExists(name, bare)).toBe(false)
  })

  it('leaves its connection usable', async () => {
    const prisma = withAudit(createClient(bare.url, { max: 1 }))
    await errorOf(() => prisma.$transaction((tx) => createTag(tx)))
    await errorOf(() => prisma.$transaction([createTag(prisma)]))
    await errorOf(() => createTag(prisma))
  })

  it('works as soon as the migration is applied, without a restart; a missing column is named', async () => {
    const prisma = withAudit(createClient(bare.url))
    await expect(createTag(prisma)).rejects.toMatchObject({ code: 'AUDIT_TABLE_MISSING' })

    await bare.sql(migration)
    expect(actions(await entriesOf(() => createTag(prisma), bare))).toEqual(['tag.create'])

    await bare.sql('ALTER TABLE audit_logs DROP COLUMN user_agent, DROP COLUMN ip')
    const other = withAudit(createClient(bare.url))
    const error = await errorOf(() => createTag(other))
    expect(error.code).toBe('AUDIT_TABLE_MISSING')
    expect(error.message).toContain('"audit_logs" lacks ip, user_agent')
    const running = await errorOf(() => createTag(prisma))
    expect(running).toBeInstanceOf(Error)
  })
})

describe('an entry that can not be written', () => {
  const role = `writer_${randomUUID().slice(0, 8)}`
  const roleUrl = new URL(db.url)
  roleUrl.username = role
  roleUrl.password = 'secret'

  it('for want of the privilege INSERT means that nothing is written', async () => {
    await db.sql(`
      CREATE ROLE ${role} LOGIN PASSWORD 'secret';
      GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role};
      REVOKE ALL ON audit_logs FROM ${role}`)
    afterAll(async () => {
      await db.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    })
    const client = createClient(roleUrl.toString())
    const prisma = withAudit(client)
    const name = unique('unprivileged')
    const entries = await entriesOf(async () => {
      for (const write of [
        () => createTag(prisma, name),
        () => prisma.tag.createMany({ data: [{ name }] }),
        () => prisma.tag.upsert({ where: { name }, create: { name }, update: {} }),
        () => prisma.post.create({ data: { title: name, tags: { create: { name } } } }),
        () => prisma.$transaction([createTag(prisma, name)]),
        () => prisma.$transaction((tx) => createTag(tx, name)),
        () => prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${name})`,
        () => prisma.$queryRaw`INSERT INTO "Tag" (name) VALUES (${name}) RETURNING id`,
        () => prisma.$executeRaw`WITH made AS (INSERT INTO "Tag" (name) VALUES (${name})) SELECT 1`,
      ]) {
        const error = await errorOf(write)
        expect(error.message).toMatch(/permission denied for table audit_logs|denied access/i)
      }
    })
    expect(entries).toEqual([])
    expect(await tagExists(name)).toBe(false)
    expect(await prisma.tag.findUnique({ where: { name } })).toBeNull()
  })

  it('because the log refuses it means that nothing is written', async () => {
    const unwritten: AuditError[] = []
    const prisma = withAudit(createClient(db.url), { onError: (error) => unwritten.push(error) })
    const { id } = await createTag(prisma)
    const category = await prisma.category.create({
      data: { name: 'kept', children: { create: { name: 'kept' } } },
    })
    await db.sql(`ALTER TABLE audit_logs ADD CONSTRAINT full_up CHECK (actor_id <> 'refused') NOT VALID`)
    try {
      await withAuditContext({ actor: { id: 'refused', type: 'user' } }, async () => {
        const name = unique('refused')
        await errorOf(() => createTag(prisma, name))
        await errorOf(() => prisma.tag.update({ where: { id }, data: { name } }))
        await errorOf(() => prisma.category.delete({ where: { id: category.id } }))
        await errorOf(
          () => prisma.$executeRaw`WITH made AS (INSERT INTO "Tag" (name) VALUES (${name})) SELECT 1`,
        )
        expect(await tagExists(name)).toBe(false)
      })
      expect(await prisma.category.count({ where: { name: 'kept' } })).toBe(2)
      // nor are the entries about the failures
      await prisma.$audit.flush()
      expect(unwritten.map(({ code, entry }) => [code, entry?.action, entry?.outcome])).toEqual([
        ['AUDIT_NOT_WRITTEN', 'tag.create', 'failure'],
        ['AUDIT_NOT_WRITTEN', 'tag.update', 'failure'],
        ['AUDIT_NOT_WRITTEN', 'category.delete', 'failure'],
        ['AUDIT_NOT_WRITTEN', 'raw.execute', 'failure'],
      ])
    } finally {
      await db.sql('ALTER TABLE audit_logs DROP CONSTRAINT full_up')
    }
  })

  it('does not exist for a key that is longer than its column: the write goes on', async () => {
    const prisma = withAudit(createClient(db.url))
    const key = `${unique('long')} ${'k'.repeat(400)}`
    const entries = await entriesOf(() =>
      prisma.translation.create({ data: { key, language: 'en', text: unique('long') } }),
    )
    expect(actions(entries)).toEqual(['translation.create'])
    expect(entries[0]?.details.after.key).toBe(key)
  })
})

describe('clients that share an adapter factory', () => {
  it('an unaudited one writes nothing to the log, the audited one does, in whatever order they come', async () => {
    const adapter = new PrismaPg({ connectionString: db.url })
    const plain = new PrismaClient({ adapter })
    const prisma = withAudit(new PrismaClient({ adapter }))
    const late = new PrismaClient({ adapter })
    onTestFinished(async () => {
      await Promise.all([plain.$disconnect(), prisma.$disconnect(), late.$disconnect()])
    })
    const entries = await entriesOf(async () => {
      await createTag(plain)
      await createTag(prisma)
      await createTag(late)
      await late.$executeRaw`TRUNCATE "Reading"`
      await withAuditContext({ actor: ada }, () => createTag(plain))
    })
    expect(actions(entries)).toEqual(['tag.create'])
  })

  it('the base client of an audited one stays unaudited', async () => {
    const base = createClient(db.url)
    const prisma = withAudit(base)
    const entries = await entriesOf(async () => {
      await createTag(base)
      await createTag(prisma)
      await base.$transaction([createTag(base)])
    })
    expect(actions(entries)).toEqual(['tag.create'])
  })

  it('an unaudited one that works at the same time takes no entry away, and gets none', async () => {
    const base = createClient(db.url)
    const prisma = withAudit(base)
    const audited = unique('audited')
    const entries = await entriesOf(async () => {
      for (let round = 0; round < 10; round++) {
        const others = Array.from({ length: 30 }, async (_, delay) => {
          for (let turn = 0; turn < delay; turn++) await null
          if (delay % 10 === 9) await base.$transaction([createTag(base)])
          else await base.tag.findUnique({ where: { id: delay } })
        })
        await Promise.all([
          ...others,
          prisma.$transaction([createTag(prisma, `${audited} batch ${round}`)]),
          prisma.$transaction(async (tx) => {
            await Promise.all([
              base.tag.findUnique({ where: { id: 1 } }),
              createTag(tx, `${audited} itx ${round}`),
            ])
          }),
          createTag(prisma, `${audited} plain ${round}`),
        ])
      }
    })
    expect(entries.map((entry) => entry.details.after.name).sort()).toEqual(
      ['batch', 'itx', 'plain'].flatMap((kind) =>
        Array.from({ length: 10 }, (_, round) => `${audited} ${kind} ${round}`),
      ),
    )
  })

  it('audited ones have their own options', async () => {
    const adapter = new PrismaPg({ connectionString: db.url })
    const [one, two] = [
      withAudit(new PrismaClient({ adapter }), {
        redact: { Tag: ['name'] },
        actor: { id: 'one', type: 'system' },
      }),
      withAudit(new PrismaClient({ adapter }), { models: { exclude: ['Category'] }, requireActor: true }),
    ] as const
    onTestFinished(async () => {
      await Promise.all([one.$disconnect(), two.$disconnect()])
    })
    const name = unique('shared')
    const entries = await entriesOf(async () => {
      await createTag(one)
      await one.category.create({ data: { name: 'c' } })
      await expect(createTag(two)).rejects.toMatchObject({ code: 'AUDIT_ACTOR_REQUIRED' })
      await withAuditContext({ actor: ada }, () => createTag(two, name))
      await two.category.create({ data: { name: 'c' } })
    })
    expect(entries.map(({ action, actor_id, details }) => [action, actor_id, details.after.name])).toEqual([
      ['tag.create', 'one', '[redacted]'],
      ['category.create', 'one', 'c'],
      ['tag.create', 'ada', name],
    ])
  })
})

describe('$extends', () => {
  const result = {
    result: {
      tag: { shout: { needs: { name: true }, compute: (tag: { name: string }) => tag.name.toUpperCase() } },
    },
  }

  it('with result, model and client extensions after withAudit keeps them, the audit and $audit', async () => {
    const prisma = withAudit(createClient(db.url))
      .$extends(result)
      .$extends({
        model: {
          $allModels: {
            async exists<T>(this: T, where: Prisma.Args<T, 'findFirst'>['where']): Promise<boolean> {
              const context = Prisma.getExtensionContext(this) as unknown as {
                findFirst(args: unknown): Promise<unknown>
              }
              return (await context.findFirst({ where })) !== null
            },
          },
        },
        client: { hello: () => 'world' },
      })
    const name = unique('shout')
    const entries = await entriesOf(async () => {
      const tag = await prisma.tag.create({ data: { name } })
      expect(tag.shout).toBe(name.toUpperCase())
      expect(await prisma.tag.exists({ name })).toBe(true)
      expect(prisma.hello()).toBe('world')
      await (prisma as unknown as { $audit: Audit }).$audit.verify()
    })
    expect(entries.map((entry) => entry.details.after.name)).toEqual([name])
  })

  it('with result, model and client extensions before withAudit keeps them', async () => {
    const extended = createClient(db.url)
      .$extends(result)
      .$extends({ client: { hello: () => 'world' } })
    const prisma = withAudit(extended)
    const name = unique('shout')
    const entries = await entriesOf(async () => {
      const tag = await prisma.tag.create({ data: { name } })
      expect(tag.shout).toBe(name.toUpperCase())
      expect(prisma.hello()).toBe('world')
      await prisma.$transaction(async (tx) => {
        expect((await tx.tag.update({ where: { name }, data: { name: `${name}!` } })).shout).toBe(
          `${name}!`.toUpperCase(),
        )
      })
    })
    expect(actions(entries)).toEqual(['tag.create', 'tag.update'])
  })

  const softDelete = (client: () => PrismaClient) =>
    Prisma.defineExtension({
      query: {
        tag: {
          async delete({ args }) {
            const { name } = await client().tag.findUniqueOrThrow({ where: args.where })
            return client().tag.update({ where: args.where, data: { name: `deleted: ${name}` } })
          },
        },
      },
    })

  it('with a soft delete before withAudit that goes on with the audited client records the update', async () => {
    const prisma: PrismaClient = withAudit(
      createClient(db.url).$extends(softDelete(() => prisma)),
    ) as unknown as PrismaClient
    const name = unique('soft')
    await createTag(prisma, name)
    const entries = await entriesOf(() => prisma.tag.delete({ where: { name } }))
    expect(entries.map(({ action, details }) => [action, details.after.name])).toEqual([
      ['tag.update', `deleted: ${name}`],
    ])
  })

  it('with a soft delete after withAudit records the update that it is', async () => {
    const audited = withAudit(createClient(db.url))
    const prisma = audited.$extends(softDelete(() => audited))
    const name = unique('soft')
    await prisma.tag.create({ data: { name } })
    const entries = await entriesOf(() => prisma.tag.delete({ where: { name } }))
    expect(entries.map(({ action, details }) => [action, details.after.name])).toEqual([
      ['tag.update', `deleted: ${name}`],
    ])
  })

  it.each(['before', 'after'])(
    'with a query that changes the arguments %s withAudit records what was written',
    async (place) => {
      const upper = Prisma.defineExtension({
        query: {
          tag: {
            create: ({ args, query }) =>
              query({ ...args, data: { ...args.data, name: args.data.name.toUpperCase() } }),
          },
        },
      })
      const base = createClient(db.url)
      const prisma = (place === 'before'
        ? withAudit(base.$extends(upper))
        : withAudit(base).$extends(upper)) as unknown as PrismaClient
      const name = unique('upper')
      const entries = await entriesOf(async () => {
        await prisma.tag.create({ data: { name } })
        await prisma.$transaction([prisma.tag.create({ data: { name: `${name} batch` } })])
        await prisma.$transaction((tx) => tx.tag.create({ data: { name: `${name} itx` } }))
      })
      expect(entries.map((entry) => entry.details.after.name)).toEqual(
        [name, `${name} batch`, `${name} itx`].map((text) => text.toUpperCase()),
      )
    },
  )

  it('with a query that retries records what was committed, once', async () => {
    const audited = withAudit(createClient(db.url))
    let attempts = 0
    const prisma = audited.$extends({
      query: {
        async $allOperations({ args, query }) {
          attempts++
          return query(args).catch(() => query(args))
        },
      },
    })
    const name = unique('retry')
    await createTag(audited, name)
    const entries = await entriesOf(() =>
      expect(prisma.tag.create({ data: { name } })).rejects.toMatchObject({ code: 'P2002' }),
    )
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([['tag.create', 'failure']])
    expect(attempts).toBe(1)
  })

  it('with a query before withAudit may open a context: the first extension is the outermost', async () => {
    const prisma = withAudit(
      createClient(db.url).$extends({
        query: {
          $allOperations: ({ args, query, model, operation }) =>
            withAuditContext({ metadata: { call: `${model}.${operation}` } }, () => query(args)),
        },
      }),
    )
    const entries = await entriesOf(() => prisma.tag.create({ data: { name: unique('tag') } }))
    expect(entries.map((entry) => entry.details.metadata)).toEqual([{ call: 'Tag.create' }])
  })

  /** Prisma's pattern for row-level security: each call in a transaction that begins with a setting. */
  const withTenant = (client: () => PrismaClient) =>
    Prisma.defineExtension({
      query: {
        async $allOperations({ args, query, operation }) {
          if (operation === '$executeRaw') return query(args)
          const [, result] = await client().$transaction([
            client().$executeRaw`SELECT set_config('app.tenant', 'tenant 1', true)`,
            query(args) as Prisma.PrismaPromise<unknown>,
          ])
          return result
        },
      },
    })

  it.each(['before', 'after'])('with row-level security %s withAudit', async (place) => {
    const base = createClient(db.url, { max: 1 })
    const audited = withAudit(base)
    const prisma =
      place === 'before'
        ? withAudit(base.$extends(withTenant(() => base)))
        : audited.$extends(withTenant(() => audited))
    const name = unique('tenant')
    const entries = await entriesOf(() =>
      withAuditContext({ actor: ada }, async () => {
        await prisma.tag.create({ data: { name } })
        await prisma.tag.update({ where: { name }, data: { name: `${name}!` } })
        const rows = await prisma.$queryRaw`SELECT current_setting('app.tenant') AS tenant`
        expect(rows).toEqual([{ tenant: 'tenant 1' }])
      }),
    )
    expect(entries.map(({ action, actor_id, details }) => [action, actor_id, details.after.name])).toEqual([
      ['tag.create', 'ada', name],
      ['tag.update', 'ada', `${name}!`],
    ])
    expect(
      await db.sql(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      ),
    ).toEqual([])
  })

  it("does not show extensions the audit's own questions", async () => {
    const seen: string[] = []
    const watching = Prisma.defineExtension({
      query: {
        $allOperations({ args, query, operation }) {
          seen.push(operation)
          return query(args)
        },
      },
    })
    const prisma = withAudit(createClient(db.url).$extends(watching)).$extends(watching)
    await prisma.tag.create({ data: { name: unique('tag') } })
    expect(seen).toEqual(['create', 'create'])
  })
})

describe('the client stays what it was', () => {
  it('$on still gets the queries, as Prisma made them', async () => {
    const client = new PrismaClient({
      adapter: new PrismaPg({ connectionString: db.url }),
      log: [{ emit: 'event', level: 'query' }],
    })
    onTestFinished(() => client.$disconnect())
    const prisma = withAudit(client)
    const queries: string[] = []
    prisma.$on('query', (event) => queries.push(event.query))
    await createTag(prisma)
    await sleep(20)
    const writes = queries.filter((query) => query.startsWith('INSERT'))
    expect(writes).toHaveLength(1)
    expect(writes[0]).toMatch(/^INSERT INTO "public"\."Tag" \("name"\) VALUES \(\$1\) RETURNING/)
    expect(queries.join()).not.toMatch(/audit/)
  })

  it('$on of the client from before the wrapping works too', async () => {
    const client = new PrismaClient({
      adapter: new PrismaPg({ connectionString: db.url }),
      log: [{ emit: 'event', level: 'query' }],
    })
    onTestFinished(() => client.$disconnect())
    const queries: string[] = []
    client.$on('query', (event) => queries.push(event.query))
    await createTag(withAudit(client))
    await sleep(20)
    expect(queries.some((query) => query.startsWith('INSERT'))).toBe(true)
  })

  it('$disconnect and connect again', async () => {
    const prisma = withAudit(createClient(db.url))
    const entries = await entriesOf(async () => {
      await createTag(prisma)
      await prisma.$disconnect()
      await createTag(prisma)
      await prisma.$disconnect()
      await prisma.$connect()
      await createTag(prisma)
    })
    expect(actions(entries)).toEqual(['tag.create', 'tag.create', 'tag.create'])
  })

  it('survives a lost connection: the write fails, and the next one is recorded', async () => {
    const prisma = withAudit(createClient(db.url, { max: 1 }))
    await createTag(prisma)
    const [own] = await prisma.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`
    const entries = await entriesOf(async () => {
      const running = prisma.$transaction(async (tx) => {
        await createTag(tx)
        await db.sql('SELECT pg_terminate_backend($1)', [own?.pid])
        await sleep(50)
        await createTag(tx)
      })
      await expect(running).rejects.toThrow()
      await createTag(prisma)
      await prisma.$audit.flush()
    })
    const outcomes = entries.map(({ action, outcome }) => [action, outcome]).sort()
    expect(outcomes).toEqual([
      ['tag.create', 'failure'],
      ['tag.create', 'success'],
    ])
  })

  it('the option omit of the client hides fields from results, not from entries', async () => {
    const client = new PrismaClient({
      adapter: new PrismaPg({ connectionString: db.url }),
      omit: { country: { population: true, name: true } },
    })
    onTestFinished(() => client.$disconnect())
    const prisma = withAudit(client)
    const entries = await entriesOf(async () => {
      expect(await prisma.country.create({ data: { code: 'OM', name: 'o', population: 9n } })).toEqual({
        code: 'OM',
      })
      expect(await prisma.country.update({ where: { code: 'OM' }, data: { name: 'p' } })).toEqual({
        code: 'OM',
      })
    })
    expect(entries.map((entry) => entry.details.after)).toEqual([
      { code: 'OM', name: 'o', population: '9' },
      { code: 'OM', name: 'p', population: '9' },
    ])
  })

  it('errors of Prisma stay errors of Prisma', async () => {
    const prisma = withAudit(createClient(db.url))
    const plain = createClient(db.url)
    const name = unique('taken')
    await createTag(plain, name)
    const failing: ((client: typeof plain) => Promise<unknown>)[] = [
      (client) => client.tag.create({ data: { name } }),
      (client) => client.tag.update({ where: { id: -1 }, data: { name: 'x' } }),
      (client) => client.tag.delete({ where: { id: -1 } }),
      (client) => client.comment.create({ data: { text: 'x', postId: 'none' } }),
      (client) => client.comment.create({ data: { text: 'x', post: { connect: { id: 'none' } } } }),
      (client) => client.country.create({ data: { code: 'XYZ', name: 'too long' } }),
      (client) => client.tag.create({ data: { name: 'a\0b' } }),
      (client) => client.tag.create({ data: {} as never }),
      (client) => client.$executeRaw`INSERT INTO "Tag" (name) VALUES (${name})`,
      (client) => client.$executeRaw`UPDATE "Tag" SET no_such = 1`,
      (client) => client.$queryRaw`SELEC 1`,
    ]
    const describeError = (error: unknown) => {
      const { code, meta, name: kind } = error as { code?: string; meta?: object; name: string }
      return { kind, code, meta: { ...meta, driverAdapterError: undefined } }
    }
    for (const run of failing) {
      const [expected, actual] = [await errorOf(() => run(plain)), await errorOf(() => run(prisma))]
      expect(describeError(actual)).toEqual(describeError(expected))
    }
  })
})

describe('named prepared statements (statementNameGenerator)', () => {
  it('are used for the audited statements, whatever the context adds', async () => {
    const client = new PrismaClient({
      adapter: new PrismaPg(
        { connectionString: db.url, max: 1 },
        { statementNameGenerator: ({ sql }) => createHash('sha1').update(sql).digest('hex') },
      ),
    })
    onTestFinished(() => client.$disconnect())
    const prisma = withAudit(client)
    const run = async () => {
      const { id } = await createTag(prisma)
      await prisma.tag.update({ where: { id }, data: { name: unique('named') } })
      await prisma.tag.upsert({
        where: { id },
        create: { name: unique('named') },
        update: { name: unique('named') },
      })
      await prisma.tag.createMany({ data: [{ name: unique('named') }, { name: unique('named') }] })
      await prisma.tag.deleteMany({ where: { id } })
    }
    const prepared = async () => {
      const [row] = await prisma.$queryRaw<
        { count: number }[]
      >`SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%audit_logs%'`
      return row?.count ?? 0
    }
    const entries = await entriesOf(async () => {
      await run()
      const first = await prepared()
      expect(first).toBeGreaterThanOrEqual(4)
      for (let turn = 0; turn < 8; turn++) await run() // the server may switch to generic plans
      expect(await prepared()).toBe(first)
      await withAuditContext({ actor: ada, ip: '10.0.0.1', metadata: { a: 1 } }, run)
      await run()
    })
    expect(entries).toHaveLength(66)
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(66)
    expect(entries.filter((entry) => entry.actor_id === 'ada')).toHaveLength(6)
  })
})

describe('other ways to connect', () => {
  it("a pool of the application's own", async () => {
    const pool = new pg.Pool({ connectionString: db.url, max: 2 })
    const client = new PrismaClient({ adapter: new PrismaPg(pool) })
    onTestFinished(async () => {
      await client.$disconnect()
      await pool.end()
    })
    expect(actions(await entriesOf(() => createTag(withAudit(client))))).toEqual(['tag.create'])
  })

  it("the adapter's option schema: models live there, the log where the connection finds it", async () => {
    await db.sql('CREATE SCHEMA tenant; CREATE TABLE tenant."Tag" (LIKE public."Tag" INCLUDING ALL)')
    const client = new PrismaClient({
      adapter: new PrismaPg({ connectionString: db.url }, { schema: 'tenant' }),
    })
    onTestFinished(() => client.$disconnect())
    const prisma = withAudit(client)
    const name = unique('tenant')
    const entries = await entriesOf(() => createTag(prisma, name))
    expect(entries.map(({ action, details }) => [action, details.after.name])).toEqual([['tag.create', name]])
    expect(await db.sql('SELECT name FROM tenant."Tag"')).toEqual([{ name }])
  })
})

describe('a client whose schema has no model of the log', () => {
  it('is audited all the same', { timeout: 60_000 }, async () => {
    const directory = resolve('test/generated', `no-log-${process.pid}`)
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    await mkdir(directory, { recursive: true })
    const schema = await readFile('test/prisma/schema.prisma', 'utf8')
    const path = join(directory, 'schema.prisma')
    await writeFile(
      path,
      schema.replace(/model AuditLog \{[^}]*\}/, '').replace(/output\s*=.*/, 'output = "./client"'),
    )
    await generate(path)
    const generated = (await import(join(directory, 'client/client.ts'))) as {
      PrismaClient: typeof PrismaClient
    }
    const client = new generated.PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) })
    onTestFinished(() => client.$disconnect())
    expect(client).not.toHaveProperty('auditLog')
    const prisma = withAudit(client)
    const entries = await entriesOf(async () => {
      await prisma.$audit.verify()
      const { id } = await createTag(prisma)
      await prisma.tag.update({ where: { id }, data: { name: unique('tag') } })
      await prisma.tag.delete({ where: { id } })
    })
    expect(actions(entries)).toEqual(['tag.create', 'tag.update', 'tag.delete'])
  })
})

/** `prisma generate`, offline (scripts/generate.mjs says how). */
function generate(schema: string): Promise<void> {
  const prisma = join(
    dirname(createRequire(import.meta.url).resolve('prisma/package.json')),
    'build/index.js',
  )
  return new Promise((done, fail) => {
    spawn(process.execPath, [prisma, 'generate', '--no-hints', '--schema', schema], {
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
      stdio: 'ignore',
    })
      .on('error', fail)
      .on('close', (code) => (code === 0 ? done() : fail(new Error(`prisma generate: ${code}`))))
  })
}

describe('PGlite', async () => {
  const lite = await PGlite.create({ extensions: { citext } })
  await lite.exec('CREATE EXTENSION citext')
  const schema = await readFile('test/prisma/schema.prisma', 'utf8')
  await lite.exec(await createScript(db.url, schema.replace(/model AuditLog \{[^}]*\}/, '')))
  await lite.exec(migration)
  await lite.exec(await readFile('test/prisma/triggers.sql', 'utf8'))
  const prisma = withAudit(new PrismaClient({ adapter: new PrismaPGlite(lite) }))
  afterAll(async () => {
    await prisma.$disconnect()
    await lite.close()
  })
  const liteEntriesOf = async (work: () => PromiseLike<unknown>): Promise<Entry[]> => {
    const { rows } = await lite.query<{ seq: string }>(
      'SELECT coalesce(max(seq), 0)::text AS seq FROM audit_logs',
    )
    await work()
    return (await lite.query<Entry>('SELECT * FROM audit_logs WHERE seq > $1 ORDER BY seq', [rows[0]?.seq]))
      .rows
  }

  it('records create, update, upsert and delete', async () => {
    const entries = await liteEntriesOf(() =>
      withAuditContext({ actor: ada, ip: '::1' }, async () => {
        await prisma.country.create({ data: { code: 'PG', name: 'p' } })
        await prisma.country.update({ where: { code: 'PG' }, data: { population: 2n } })
        await prisma.country.upsert({
          where: { code: 'PG' },
          create: { code: 'PG', name: 'p' },
          update: { name: 'q' },
        })
        await prisma.country.delete({ where: { code: 'PG' } })
      }),
    )
    expect(entries.map(({ action, actor_id, details }) => [action, actor_id, details])).toEqual([
      ['country.create', 'ada', { operation: 'create', after: { code: 'PG', name: 'p', population: '0' } }],
      [
        'country.update',
        'ada',
        {
          operation: 'update',
          before: { code: 'PG', name: 'p', population: '0' },
          after: { code: 'PG', name: 'p', population: '2' },
          changed: ['population'],
        },
      ],
      [
        'country.update',
        'ada',
        {
          operation: 'upsert',
          before: { code: 'PG', name: 'p', population: '2' },
          after: { code: 'PG', name: 'q', population: '2' },
          changed: ['name'],
        },
      ],
      ['country.delete', 'ada', { operation: 'delete', before: { code: 'PG', name: 'q', population: '2' } }],
    ])
  })

  it('records nested writes and cascades', async () => {
    const entries = await liteEntriesOf(async () => {
      const { id } = await prisma.user.create({
        data: {
          email: 'lite@x',
          profile: { create: { bio: 'b' } },
          posts: { create: { title: 't', tags: { create: { name: 'lite' } } } },
        },
      })
      await prisma.user.delete({ where: { id } })
    })
    expect(actions(entries).sort()).toEqual(
      [
        ...['user.create', 'profile.create', 'post.create', 'tag.create', 'post.connect', 'tag.connect'],
        ...['user.delete', 'profile.delete', 'post.update'],
      ].sort(),
    )
  })

  it('records transactions that commit, and nothing of others', async () => {
    const entries = await liteEntriesOf(async () => {
      await prisma.$transaction([
        prisma.tag.create({ data: { name: 'one' } }),
        prisma.tag.create({ data: { name: 'two' } }),
      ])
      await prisma.$transaction(async (tx) => {
        await tx.stamped.create({ data: { counter: 1 } })
        await tx.stamped.updateMany({ data: { counter: 2 } })
      })
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'three' } })
          throw new Error('undo')
        }),
      ).rejects.toThrow('undo')
    })
    expect(actions(entries)).toEqual(['tag.create', 'tag.create', 'stamped.create', 'stamped.update'])
  })

  it('records raw SQL, captured and not', async () => {
    const entries = await liteEntriesOf(async () => {
      expect(await prisma.$executeRaw`INSERT INTO "Tag" (name) VALUES (${'raw'}), ('raw too')`).toBe(2)
      await prisma.$executeRaw`TRUNCATE "Reading"`
    })
    expect(actions(entries)).toEqual(['tag.create', 'tag.create', 'raw.execute'])
  })

  it('keeps its log append-only', async () => {
    await expect(lite.query('DELETE FROM audit_logs')).rejects.toMatchObject({ code: 'ZA001' })
  })
})
