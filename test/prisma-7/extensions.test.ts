import { describe, expect, it } from 'vitest'
import { type Audit, withAudit, withAuditContext } from '../../src/index.ts'
import { Prisma, type PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { actions } from '../support/entries.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const ada = { id: 'ada', type: 'user' } as const

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
    const entries = await db.changesOf(async () => {
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
    const entries = await db.changesOf(async () => {
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
    const entries = await db.changesOf(() => prisma.tag.delete({ where: { name } }))
    expect(entries.map(({ action, details }) => [action, details.after.name])).toEqual([
      ['tag.update', `deleted: ${name}`],
    ])
  })

  it('with a soft delete after withAudit records the update that it is', async () => {
    const audited = withAudit(createClient(db.url))
    const prisma = audited.$extends(softDelete(() => audited))
    const name = unique('soft')
    await prisma.tag.create({ data: { name } })
    const entries = await db.changesOf(() => prisma.tag.delete({ where: { name } }))
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
      const entries = await db.changesOf(async () => {
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
    const entries = await db.entriesOf(() =>
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
    const entries = await db.changesOf(() => prisma.tag.create({ data: { name: unique('tag') } }))
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
    const entries = await db.changesOf(() =>
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
