import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { withAudit, withAuditContext } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { actions } from '../support/entries.ts'
import { errorOf } from '../support/errors.ts'
import { createTag } from '../support/tags.ts'
import { unique } from '../support/unique.ts'

const db = await createDatabase()
const ada = { id: 'ada', type: 'user' } as const

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
    const writes = () => queries.filter((query) => query.startsWith('INSERT'))
    await expect.poll(() => writes().length).toBeGreaterThan(0)
    await sleep(20) // for one that is too many
    expect(writes()).toHaveLength(1)
    expect(writes()[0]).toMatch(/^INSERT INTO "public"\."Tag" \("name"\) VALUES \(\$1\) RETURNING/)
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
    await expect.poll(() => queries.some((query) => query.startsWith('INSERT'))).toBe(true)
  })

  it('$disconnect and connect again', async () => {
    const prisma = withAudit(createClient(db.url))
    const entries = await db.changesOf(async () => {
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
    const entries = await db.entriesOf(async () => {
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
    const entries = await db.changesOf(async () => {
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
    const entries = await db.changesOf(async () => {
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
    expect(actions(await db.changesOf(() => createTag(withAudit(client))))).toEqual(['tag.create'])
  })

  it("the adapter's option schema: models live there, the log where the connection finds it", async () => {
    await db.sql('CREATE SCHEMA tenant; CREATE TABLE tenant."Tag" (LIKE public."Tag" INCLUDING ALL)')
    const client = new PrismaClient({
      adapter: new PrismaPg({ connectionString: db.url }, { schema: 'tenant' }),
    })
    onTestFinished(() => client.$disconnect())
    const prisma = withAudit(client)
    const name = unique('tenant')
    const entries = await db.changesOf(() => createTag(prisma, name))
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
    const entries = await db.changesOf(async () => {
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
