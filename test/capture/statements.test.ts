import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PrismaClient } from '../generated/client/client.ts'
import { createDatabase } from '../support/database.ts'
import { emptyTables } from '../support/empty-tables.ts'
import { at } from '../support/users.ts'
import { createLogged, createLoggedPlain, kinds } from './statement-log.ts'

const db = await createDatabase()
const { prisma, log } = createLogged({ connectionString: db.url })
const unaudited = createLoggedPlain({ connectionString: db.url })
const version = await db.serverVersion()
const returnsOld = version >= 18

beforeEach(async () => {
  await emptyTables(db)
  await db.sql(`
    INSERT INTO "Country" VALUES ('CH', 'Swiss', 8), ('DE', 'German', 80);
    INSERT INTO "Tag" (name) VALUES ('a'), ('b');
    INSERT INTO users (email, updated_at) VALUES ('u1@x.org', '2026-01-01'), ('u2@x.org', '2026-01-01');
    INSERT INTO "Post" (id, title, "authorId") VALUES ('p1', 'one', 1);
    INSERT INTO "Reading" VALUES ('s1', 1);
    INSERT INTO "Stamped" VALUES (1, 0, NULL);
    INSERT INTO "Warehouse" VALUES ('ZH', 'z')`)
  await prisma.$queryRaw`SELECT 1` // the catalog is read
})

const sentBy = async (work: () => PromiseLike<unknown>) => kinds(await log.during(work))

describe('one statement, the write and its entries', () => {
  it.each<[string, (client: PrismaClient) => PromiseLike<unknown>, string]>([
    ['create', (client) => client.tag.create({ data: { name: 'x' } }), 'INSERT'],
    ['createMany', (client) => client.tag.createMany({ data: [{ name: 'x' }, { name: 'y' }] }), 'INSERT'],
    [
      'createManyAndReturn',
      (client) => client.tag.createManyAndReturn({ data: [{ name: 'x' }, { name: 'y' }] }),
      'INSERT',
    ],
    ['update', (client) => client.tag.update({ where: { id: 1 }, data: { name: 'x' } }), 'UPDATE'],
    ['updateMany', (client) => client.tag.updateMany({ data: { name: { set: 'x' } }, limit: 1 }), 'UPDATE'],
    [
      'updateManyAndReturn',
      (client) => client.tag.updateManyAndReturn({ where: { id: 1 }, data: { name: 'x' } }),
      'UPDATE',
    ],
    ['delete', (client) => client.country.delete({ where: { code: 'CH' } }), 'DELETE'],
    ['deleteMany', (client) => client.country.deleteMany(), 'DELETE'],
    ['a raw command', (client) => client.$executeRaw`UPDATE "Country" SET name = 'x'`, 'UPDATE'],
    ['a raw query', (client) => client.$queryRaw`DELETE FROM "Country" RETURNING *`, 'DELETE'],
    [
      'an update of a key that nothing refers to',
      (client) => client.country.update({ where: { code: 'CH' }, data: { code: 'XX' } }),
      'UPDATE',
    ],
  ])('%s', async (_, work, verb) => {
    expect(await sentBy(() => work(prisma))).toEqual([`${verb} + entries`])
  })

  it('upsert, on PostgreSQL 18; before it, locks the row in conflict first', async () => {
    const upsert = () =>
      prisma.country.upsert({
        where: { code: 'CH' },
        create: { code: 'CH', name: 'x' },
        update: { name: 'x' },
      })
    expect(await sentBy(upsert)).toEqual(
      returnsOld
        ? ['INSERT + entries']
        : ['BEGIN', 'lock', 'SAVEPOINT', 'INSERT + entries', 'RELEASE', 'COMMIT'],
    )
  })

  it('an update of a table without a primary key, on PostgreSQL 18; before it, locks the rows first', async () => {
    const update = () => prisma.reading.update({ where: { sensor: 's1' }, data: { value: 2 } })
    expect(await sentBy(update)).toEqual(
      returnsOld ? ['UPDATE + entries'] : ['BEGIN', 'lock', 'UPDATE + entries', 'COMMIT'],
    )
  })

  it('as many as without audit, for operations of several statements', async () => {
    const operations: ((client: PrismaClient) => PromiseLike<unknown>)[] = [
      (client) =>
        client.user.create({
          data: {
            email: 'new@x.org',
            createdAt: at,
            profile: { create: { bio: 'b' } },
            posts: { create: [{ title: 't', tags: { create: { name: 'n' } } }, { title: 'u' }] },
          },
        }),
      (client) =>
        client.post.update({ where: { id: 'p1' }, data: { tags: { connect: [{ id: 1 }, { id: 2 }] } } }),
      (client) => client.post.update({ where: { id: 'p1' }, data: { tags: { set: [{ id: 2 }] } } }),
      (client) => client.user.update({ where: { id: 1 }, data: { posts: { disconnect: { id: 'p1' } } } }),
      (client) =>
        client.tag.upsert({
          where: { id: 1 },
          create: { name: 'q' },
          update: { name: 'q' },
          include: { posts: true },
        }),
      (client) =>
        client.$transaction([
          client.tag.create({ data: { name: 'x' } }),
          client.tag.update({ where: { name: 'x' }, data: { name: 'y' } }),
        ]),
      (client) =>
        client.$transaction(async (tx) => {
          await tx.tag.create({ data: { name: 'z' } })
          await tx.tag.findMany()
        }),
    ]
    const withoutEntries = (list: string[]) => list.map((kind) => kind.replace(' + entries', ''))
    for (const operation of operations) {
      const audited = await sentBy(() => operation(prisma))
      await emptyTables(db)
      await db.sql(`
        INSERT INTO "Tag" (name) VALUES ('a'), ('b');
        INSERT INTO users (email, updated_at) VALUES ('u1@x.org', '2026-01-01');
        INSERT INTO "Post" (id, title, "authorId") VALUES ('p1', 'one', 1)`)
      const plain = kinds(await unaudited.log.during(() => operation(unaudited.prisma)))
      expect(withoutEntries(audited)).toEqual(plain)
      await emptyTables(db)
      await db.sql(`
        INSERT INTO "Tag" (name) VALUES ('a'), ('b');
        INSERT INTO users (email, updated_at) VALUES ('u1@x.org', '2026-01-01');
        INSERT INTO "Post" (id, title, "authorId") VALUES ('p1', 'one', 1);
        INSERT INTO "_PostToTag" VALUES ('p1', 1)`)
    }
  })
})

describe('lock first, where referential actions follow', () => {
  it('a delete that reaches one level: transaction, lock, delete', async () => {
    const sent = await sentBy(() => prisma.post.delete({ where: { id: 'p1' } }))
    expect(sent[0]).toBe('BEGIN')
    expect(sent[1]).toBe('lock')
    expect(sent.slice(-2)).toEqual(['DELETE + entries', 'COMMIT'])
    expect(
      sent.filter((kind) => !['BEGIN', 'lock', 'lock reached', 'DELETE + entries', 'COMMIT'].includes(kind)),
    ).toEqual([])
  })

  it('a delete that reaches further locks what it reaches, until there is no more', async () => {
    await db.sql(
      `INSERT INTO "Org" VALUES (1, 'o'); INSERT INTO "Team" VALUES (1, 1); INSERT INTO "Task" VALUES (1, 't', 1)`,
    )
    expect(await sentBy(() => prisma.org.delete({ where: { id: 1 } }))).toEqual([
      'BEGIN',
      'lock',
      'lock reached',
      'lock reached',
      'DELETE + entries',
      'COMMIT',
    ])
  })

  it('an update of a key that others refer to', async () => {
    const sent = await sentBy(() => prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'BE' } }))
    expect([sent[0], sent[1], ...sent.slice(-2)]).toEqual(['BEGIN', 'lock', 'UPDATE + entries', 'COMMIT'])
  })

  it('not an update of other columns', async () => {
    expect(
      await sentBy(() => prisma.warehouse.update({ where: { code: 'ZH' }, data: { city: 'x' } })),
    ).toEqual(['UPDATE + entries'])
  })

  it('in the transaction that is open already', async () => {
    const sent = await sentBy(() =>
      prisma.$transaction(async (tx) => {
        await tx.tag.findFirst()
        await tx.post.delete({ where: { id: 'p1' } })
      }),
    )
    expect(sent.filter((kind) => kind === 'BEGIN')).toHaveLength(1)
    expect(sent.slice(0, 3)).toEqual(['BEGIN', 'SELECT', 'lock'])
    expect(sent.slice(-2)).toEqual(['DELETE + entries', 'COMMIT'])
  })

  it('not where nothing recorded is reached', async () => {
    const only = createLogged({ connectionString: db.url }, { models: { include: ['Org'] } })
    await only.prisma.$queryRaw`SELECT 1`
    await db.sql(`INSERT INTO "Org" VALUES (1, 'o')`)
    expect(kinds(await only.log.during(() => only.prisma.org.delete({ where: { id: 1 } })))).toEqual([
      'DELETE + entries',
    ])
  })
})

describe('the before-state', () => {
  it('comes from RETURNING on PostgreSQL 18, and from a locking CTE before it', async () => {
    const [sent] = await log.during(() => prisma.tag.update({ where: { id: 1 }, data: { name: 'x' } }))
    if (returnsOld) {
      expect(sent?.sql).toMatch(/RETURNING WITH \(OLD AS "__audit_old", NEW AS "__audit_new"\)/)
      expect(sent?.sql).not.toMatch(/FOR (NO KEY )?UPDATE/)
    } else {
      expect(sent?.sql).toMatch(/"__audit_locked" AS MATERIALIZED \([\s\S]+FOR (NO KEY )?UPDATE OF "Tag"\)/)
      expect(sent?.sql).toMatch(/UPDATE "public"\."Tag" SET [\s\S]+FROM "__audit_locked"/)
      expect(sent?.sql).not.toMatch(/OLD AS/)
    }
  })

  it('comes from a locking CTE in every version where a BEFORE UPDATE trigger may make RETURNING OLD stale', async () => {
    const sent = await log.during(() => prisma.stamped.update({ where: { id: 1 }, data: { counter: 1 } }))
    expect(sent).toHaveLength(1)
    expect(sent[0]?.sql).toMatch(
      /"__audit_locked" AS MATERIALIZED \([\s\S]+FOR (NO KEY )?UPDATE OF "Stamped"\)/,
    )
  })

  it('of a delete comes from RETURNING, which has the old row in every version', async () => {
    const [sent] = await log.during(() => prisma.country.delete({ where: { code: 'CH' } }))
    expect(sent?.sql).not.toMatch(/FOR (NO KEY )?UPDATE|OLD AS/)
  })
})

describe('reads, and what is not recorded, go out as they are', () => {
  const same = async (work: (client: PrismaClient) => PromiseLike<unknown>, audited = { prisma, log }) => {
    const expected = await unaudited.log.during(() => work(unaudited.prisma))
    expect(await audited.log.during(() => work(audited.prisma))).toEqual(expected)
  }

  it('reads', async () => {
    await same((client) => client.user.findMany({ include: { posts: { include: { tags: true } } } }))
    await same((client) => client.user.count())
    await same((client) => client.user.aggregate({ _max: { id: true } }))
    await same(
      (client) => client.$queryRaw`SELECT 'UPDATE "Tag" SET name = 1' AS text, id FROM "Tag" FOR UPDATE`,
    )
    await same((client) => client.$queryRaw`WITH x AS (SELECT 1) SELECT * FROM x`)
  })

  it('writes of models that are left out', async () => {
    const some = createLogged({ connectionString: db.url }, { models: { include: ['User'] } })
    await some.prisma.$queryRaw`SELECT 1`
    await same((client) => client.country.update({ where: { code: 'CH' }, data: { name: 'x' } }), some)
    await same(
      (client) => client.country.createMany({ data: [{ code: 'XX', name: 'x' }], skipDuplicates: true }),
      some,
    )
    await same((client) => client.country.deleteMany({ where: { code: 'YY' } }), some)
  })
})

describe('values', () => {
  it('of the caller and of the context are parameters, never text in SQL', async () => {
    const value = `"; DROP TABLE users; -- '$1`
    const [sent] = await log.during(() => prisma.tag.create({ data: { name: value } }))
    expect(sent?.sql).not.toContain('DROP')
    expect(sent?.args[0]).toBe(value)
  })

  it('change nothing in the text of a statement, so that it can be prepared once', async () => {
    const create = (name: string) => log.during(() => prisma.tag.create({ data: { name } }))
    const [[first], [second]] = [await create('x'), await create('y')]
    expect(first?.sql).toBe(second?.sql)
    expect([first?.args[0], second?.args[0]]).toEqual(['x', 'y'])
  })

  it('work with named prepared statements', async () => {
    const names = new Map<string, string>()
    const { PrismaPg } = await import('@prisma/adapter-pg')
    const { PrismaClient: Client } = await import('../generated/client/client.ts')
    const { withAudit } = await import('../../src/index.ts')
    const adapter = new PrismaPg(
      { connectionString: db.url, max: 1 },
      {
        statementNameGenerator: ({ sql }) => {
          const name = names.get(sql) ?? `s${names.size}`
          names.set(sql, name)
          return name
        },
      },
    )
    const client = withAudit(new Client({ adapter }))
    const since = await db.lastSeq()
    for (let index = 0; index < 5; index++) {
      await client.country.update({
        where: { code: 'CH' },
        data: { name: `n${index}`, population: { increment: 1 } },
      })
      await client.country.upsert({
        where: { code: 'XX' },
        create: { code: 'XX', name: 'x' },
        update: { name: `n${index}` },
      })
      await client.post.deleteMany({ where: { id: `p${index}` } })
    }
    const [prepared] = await client.$queryRaw<{ n: number; names: string[] }[]>`
      SELECT count(*)::int AS n FROM pg_prepared_statements WHERE statement LIKE ${'%audit_logs%'} AND statement NOT LIKE ${'%pg_class%'} AND name LIKE 's%'`
    await client.$disconnect()
    expect(prepared?.n).toBe(3)
    expect((await db.entries(since)).map(({ action }) => action.split('.')[1]).sort()).toEqual([
      ...['create', 'delete'],
      ...Array(9).fill('update'),
    ])
  })
})

describe('the catalog', () => {
  it('is read once, also when the first writes come all at once', async () => {
    const fresh = createLogged({ connectionString: db.url, max: 5 })
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => fresh.prisma.tag.create({ data: { name: `t${index}` } })),
    )
    await fresh.log.during(async () => {
      await fresh.prisma.tag.deleteMany()
    })
    expect(fresh.log.catalogReads).toBe(0)
  })

  it('is read on the connection of the statement: a pool of one is enough', async () => {
    const one = createLogged({ connectionString: db.url, max: 1, connectionTimeoutMillis: 5_000 })
    const since = await db.lastSeq()
    await one.prisma.$transaction(async (tx) => {
      await tx.tag.create({ data: { name: 'x' } })
      await tx.post.delete({ where: { id: 'p1' } })
    })
    await Promise.all([
      one.prisma.tag.create({ data: { name: 'y', posts: { create: { id: 'p9', title: 't' } } } }),
      one.prisma.user.deleteMany({ where: { id: 1 } }),
      one.prisma.country.upsert({
        where: { code: 'CH' },
        create: { code: 'CH', name: 'x' },
        update: { name: 'x' },
      }),
      one.prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'BE' } }),
      one.prisma.reading.update({ where: { sensor: 's1' }, data: { value: 2 } }),
      one.prisma.stamped.update({ where: { id: 1 }, data: { counter: 2 } }),
    ])
    expect((await db.entries(since)).length).toBeGreaterThanOrEqual(10)
  })
})

describe('waiting', () => {
  const impatient = createLogged({ connectionString: db.url, options: '-c lock_timeout=700' })

  /** Another transaction that has just added a child, and so holds FOR KEY SHARE on the parent. */
  async function whileChildIsAdded(sql: string, work: () => PromiseLike<unknown>): Promise<void> {
    const other = await db.pool.connect()
    try {
      await other.query('BEGIN')
      await other.query(sql)
      await work()
    } finally {
      await other.query('ROLLBACK')
      other.release()
    }
  }

  // PostgreSQL lets a parent be updated while a child is added, as long as its key stays as it is.
  it('an update does not wait for a child that is being added', async () => {
    await whileChildIsAdded(`INSERT INTO "Comment" (text, "postId") VALUES ('c', 'p1')`, () =>
      impatient.prisma.post.update({ where: { id: 'p1' }, data: { title: 'x' } }),
    )
  })

  it('nor does one on a table with a trigger', async () => {
    await whileChildIsAdded(`INSERT INTO "Meter" ("stampedId") VALUES (1)`, () =>
      impatient.prisma.stamped.update({ where: { id: 1 }, data: { counter: 1 } }),
    )
  })

  it('nor does an upsert', async () => {
    await db.sql(`INSERT INTO "Post" (id, title) VALUES ('p2', 't')`)
    await whileChildIsAdded(`INSERT INTO "Comment" (text, "postId") VALUES ('c', 'p2')`, () =>
      impatient.prisma.post.upsert({
        where: { id: 'p2' },
        create: { id: 'p2', title: 'x' },
        update: { title: 'x' },
      }),
    )
  })

  it('nor does a delete that sets null in a row that gets a child', async () => {
    await whileChildIsAdded(`INSERT INTO "Comment" (text, "postId") VALUES ('c', 'p1')`, () =>
      impatient.prisma.user.delete({ where: { id: 1 } }),
    )
  })

  it('a read never waits', async () => {
    const other = await db.pool.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE "Tag" SET name = 'x' WHERE id = 1`)
    expect(await impatient.prisma.tag.findUnique({ where: { id: 1 } })).toEqual({ id: 1, name: 'a' })
    await other.query('ROLLBACK')
    other.release()
  })
})

describe('memory', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heapUsed = () => {
    collect()
    return process.memoryUsage().heapUsed / 1024 / 1024
  }

  it('does not grow with the number of different statements', async () => {
    const run = async (from: number, to: number, client = prisma) => {
      for (let index = from; index < to; index++) {
        const text = `${index} `.padEnd(100_000, 'x')
        await client.$executeRawUnsafe(`UPDATE "Tag" SET name = 'x' WHERE id = -1 AND name <> '${text}'`)
      }
    }
    const growth = async (client: PrismaClient) => {
      await run(0, 100, client) // 10 MB of text fill the cache
      const before = heapUsed()
      await run(100, 350, client)
      return heapUsed() - before
    }
    // Prisma keeps what it was given, 25 MB; the audit must not keep it as well
    const plain = await growth(unaudited.prisma)
    expect((await growth(prisma)) - plain).toBeLessThan(12)
  })

  it('does not grow with comments that make each statement unique', async () => {
    const run = async (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        await prisma.$executeRawUnsafe(
          `UPDATE "Tag" SET name = 'x' WHERE id = -1 /*traceparent='00-${String(index).padStart(32, '0')}-01'*/`,
        )
      }
    }
    await run(0, 100)
    const before = heapUsed()
    await run(100, 1_500)
    expect(heapUsed() - before).toBeLessThan(5)
  })
})

describe('long lists', () => {
  const count = 10_000
  const codes = Array.from({ length: count }, (_, index) => `n${index}`)
  const entriesOf = (since: bigint) =>
    db.sql<{ action: string; n: number; ids: number; resources: number }>(
      `SELECT action, count(*)::int AS n, count(DISTINCT id)::int AS ids, count(DISTINCT resource_id)::int AS resources
       FROM audit_logs WHERE seq > $1 GROUP BY action ORDER BY action`,
      [since],
    )
  const all = (action: string, n = count) => [{ action, n, ids: n, resources: n }]

  it('of rows: createMany, in one statement and with an entry each', async () => {
    const since = await db.lastSeq()
    const sent = await log.during(() => prisma.tag.createMany({ data: codes.map((name) => ({ name })) }))
    expect(kinds(sent)).toEqual(['INSERT + entries'])
    expect(await entriesOf(since)).toEqual(all('tag.create'))
    // each entry is that of its own row
    const wrong = await db.sql(
      `SELECT FROM audit_logs l JOIN "Tag" t ON t.id::text = l.resource_id
       WHERE l.seq > $1 AND (l.details -> 'after' ->> 'name') <> t.name`,
      [since],
    )
    expect(wrong).toEqual([])
  })

  it('of rows with several columns, defaults and enums', async () => {
    const since = await db.lastSeq()
    const { count: created } = await prisma.user.createMany({
      data: codes.map((code, index) => ({
        email: `${code}@x.org`,
        name: index % 2 ? code : null,
        level: index % 3 ? 'LOW' : 'HIGH',
        updatedAt: at,
      })),
    })
    expect(created).toBe(count)
    expect(await entriesOf(since)).toEqual(all('user.create'))
  })

  it('of rows: createManyAndReturn, and skipDuplicates', async () => {
    const since = await db.lastSeq()
    const tags = await prisma.tag.createManyAndReturn({ data: codes.map((name) => ({ name })) })
    expect(tags.map(({ name }) => name)).toEqual(codes)
    expect(await entriesOf(since)).toEqual(all('tag.create'))
    const again = await db.lastSeq()
    const more = [...codes, 'one more']
    expect(
      await prisma.tag.createMany({ data: more.map((name) => ({ name })), skipDuplicates: true }),
    ).toEqual({ count: 1 })
    expect(await entriesOf(again)).toEqual(all('tag.create', 1))
  })

  it('of more rows than one statement has parameters', async () => {
    const since = await db.lastSeq()
    const data = Array.from({ length: 40_000 }, (_, index) => ({ name: `m${index}` }))
    expect(await prisma.tag.createMany({ data })).toEqual({ count: 40_000 })
    expect(await entriesOf(since)).toEqual(all('tag.create', 40_000))
    const transactions = await db.sql(
      'SELECT count(DISTINCT transaction_id)::int AS n FROM audit_logs WHERE seq > $1',
      [since],
    )
    expect(transactions).toEqual([{ n: 1 }])
  })

  it('of keys: updateMany and deleteMany', async () => {
    await db.sql(`INSERT INTO "Tag" (name) SELECT 'n' || n FROM generate_series(0, ${count - 1}) AS n`)
    const updated = await db.lastSeq()
    const sent = await log.during(() =>
      prisma.post.updateMany({ where: { id: { in: codes } }, data: { title: 'x' } }),
    )
    expect(kinds(sent)).toEqual(['UPDATE + entries'])
    expect(await entriesOf(updated)).toEqual([])
    const some = await prisma.tag.updateMany({
      where: { name: { in: codes } },
      data: { name: 'x' },
      limit: 1,
    })
    expect(some).toEqual({ count: 1 })
    const deleted = await db.lastSeq()
    expect(await prisma.tag.deleteMany({ where: { name: { in: codes } } })).toEqual({ count: count - 1 })
    expect(await entriesOf(deleted)).toEqual(all('tag.delete', count - 1))
  })

  it('in raw SQL, as constants and as parameters', async () => {
    const since = await db.lastSeq()
    const values = codes.map((code) => `('it''s ${code}, (really)')`).join(', ')
    expect(await prisma.$executeRawUnsafe(`INSERT INTO "Tag" (name) VALUES ${values}`)).toBe(count)
    const parameters = codes.map((_, index) => `($${index + 1})`).join(',')
    expect(await prisma.$executeRawUnsafe(`INSERT INTO "Tag" (name) VALUES ${parameters}`, ...codes)).toBe(
      count,
    )
    const keys = codes.map((_, index) => `$${index + 1}`).join(', ')
    expect(await prisma.$executeRawUnsafe(`DELETE FROM "Tag" WHERE name IN (${keys})`, ...codes)).toBe(count)
    expect(await entriesOf(since)).toEqual([...all('tag.create', 2 * count), ...all('tag.delete', count)])
  })

  it('in a raw upsert', async () => {
    const since = await db.lastSeq()
    const some = codes.slice(0, 2_000)
    const rows = some.map((_, index) => `($${2 * index + 1}, $${2 * index + 2})`).join(', ')
    const upsert = (name: string) =>
      prisma.$executeRawUnsafe(
        `INSERT INTO "Status" (code) SELECT v.code FROM (VALUES ${rows}) AS v(code, name) WHERE v.name <> '' ON CONFLICT DO NOTHING`,
        ...some.flatMap((code) => [code, name]),
      )
    expect(await upsert('a')).toBe(2_000)
    expect(await upsert('b')).toBe(0)
    expect(await entriesOf(since)).toEqual(all('status.create', 2_000))
    const translations = (text: string) =>
      prisma.$executeRawUnsafe(
        `INSERT INTO "Translation" (key, language, text) VALUES ${some.map((_, index) => `($${index + 2}, 'en', $1 || $${index + 2})`).join(', ')}
         ON CONFLICT (key, language) DO UPDATE SET text = excluded.text`,
        text,
        ...some,
      )
    const upserted = await db.lastSeq()
    expect(await translations('a')).toBe(2_000)
    expect(await translations('b')).toBe(2_000)
    expect(await entriesOf(upserted)).toEqual([
      ...all('translation.create', 2_000),
      ...all('translation.update', 2_000),
    ])
  })

  it('does not take the place of a short one in the cache', async () => {
    const insert = (names: string[]) => prisma.tag.createMany({ data: names.map((name) => ({ name })) })
    for (const length of [2, 300, 299, 301, 300, 3]) {
      await db.sql('DELETE FROM "Tag"')
      const since = await db.lastSeq()
      expect(await insert(codes.slice(0, length))).toEqual({ count: length })
      expect(await entriesOf(since)).toEqual(all('tag.create', length))
    }
  })
})
