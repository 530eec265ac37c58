import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Prisma } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { expectEntriesToMatchOracle, markOracle } from '../support/oracle.ts'
import { createAudited, emptyingScript } from './audited.ts'

/**
 * Random sequences of operations over models that hang together in every way. After each sequence the log must match
 * what row triggers saw, one to one, and the database must be the one that the same operations make without audit.
 */
const setUp = `
  CREATE TABLE node (code text PRIMARY KEY, touched int NOT NULL DEFAULT 0,
    parent text REFERENCES node ON UPDATE CASCADE ON DELETE SET NULL,
    other text REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE);
  CREATE TABLE counted (id int PRIMARY KEY, node text REFERENCES node ON UPDATE CASCADE ON DELETE SET NULL,
    has_node boolean GENERATED ALWAYS AS (node IS NOT NULL) STORED)`
const { db, prisma } = await createAudited({ setUp })
const plainDb = await createDatabase()
await plainDb.sql(setUp)
const plain = createClient(plainDb.url)

/** Some of everything, so that most operations find what they look for. */
const somethingOfEverything = `
  INSERT INTO users (id, email, name, created_at, updated_at, manager_id)
    SELECT n, 'u' || n || '@x.org', 'n', '2026-01-01', '2026-01-01', nullif(n / 2, 0) FROM generate_series(1, 3) AS n;
  UPDATE users SET manager_id = 1 WHERE id = 1;
  INSERT INTO "Profile" VALUES ('f1', 'b', 1), ('f2', 'b', 2);
  INSERT INTO "Post" VALUES ('p1', 'one', 0, 1, 2), ('p2', 'two', 0, 2, 2), ('p3', 'three', 0, NULL, 1);
  INSERT INTO "Comment" VALUES (1, 'c', 'p1', 1), (2, 'c', 'p1', NULL), (3, 'c', 'p2', 1);
  INSERT INTO "Tag" VALUES (1, 't1'), (2, 't2');
  INSERT INTO "_PostToTag" VALUES ('p1', 1), ('p1', 2), ('p2', 1);
  INSERT INTO "_friendship" VALUES (1, 2), (2, 1), (1, 1), (3, 2);
  INSERT INTO "Category" VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 2), (4, 'd', 4);
  INSERT INTO "Warehouse" VALUES ('A', 'a'), ('B', 'b');
  INSERT INTO "Shelf" VALUES ('A', 1, NULL), ('A', 2, 'x'), ('B', 1, 'y');
  INSERT INTO "Box" VALUES (1, 'A', 1, 'x');
  INSERT INTO "Status" VALUES ('open'), ('B'), ('C');
  INSERT INTO "Ticket" VALUES (1, 't', 'B'), (2, 't', 'C'), (3, 't', 'open');
  INSERT INTO "Stamped" VALUES (1, 0, NULL), (2, 0, NULL);
  INSERT INTO "Meter" VALUES (1, 0, 1), (2, 0, 1), (3, 0, 2);
  INSERT INTO "Org" VALUES (1, 'o'), (2, 'o'); INSERT INTO "Team" VALUES (1, 1), (2, 1), (3, 2);
  INSERT INTO "Project" VALUES (1, 1), (2, 2);
  INSERT INTO "Task" VALUES (1, 't', 1, 1, 1), (2, 't', 2, 3, 2), (3, 't', NULL, 1, NULL);
  INSERT INTO "Chicken" VALUES (1, NULL), (2, NULL); INSERT INTO "Egg" VALUES (1, 1), (2, 2); UPDATE "Chicken" SET "eggId" = id;
  INSERT INTO "Reading" VALUES ('A', 1), ('B', 2);
  INSERT INTO "Translation" VALUES ('A', 'A', 'a'), ('A', 'B', 'b');
  INSERT INTO node VALUES ('A', 0, NULL, NULL), ('B', 0, 'A', 'A'), ('C', 0, 'B', 'C');
  INSERT INTO counted VALUES (1, 'A'), (2, NULL);`

// biome-ignore lint/suspicious/noExplicitAny: a client or a transaction, audited or not
type Client = any

/** One call of the client. Everything in it is data, so that a failing sequence can be read and run again. */
interface Call {
  readonly model: string
  readonly operation: string
  readonly args: unknown
}

interface Transaction {
  readonly transaction: 'batch' | 'interactive' | 'rolled back'
  readonly calls: readonly Call[]
}

const at = new Date('2026-01-02T03:04:05.006Z')
const id = fc.integer({ min: 1, max: 4 })
const maybeId = fc.option(id, { freq: 3 })
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 3 })
const postId = id.map((n) => `p${n}`)
const word = fc.constantFrom('a', 'b', 'c', 'é"\\', '')
const code = fc.constantFrom('A', 'B', 'C', 'D')

const call =
  (model: string, operation: string) =>
  (args: unknown): Call => ({ model, operation, args })

/** Drops what was left undefined, so that only some of the fields are given. */
const some = <T extends Record<string, unknown>>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] })

const userData = fc.record({ id, name: fc.option(word), managerId: maybeId }).map((data) => ({
  ...data,
  email: `u${data.id}@x.org`,
  createdAt: at,
  updatedAt: at,
}))
const postData = fc.record({ id: postId, title: word })
const tagData = id.map((n) => ({ id: n, name: `t${n}` }))
const tagRef = id.map((n) => ({ id: n }))
const postRef = postId.map((value) => ({ id: value }))
const userRef = id.map((n) => ({ id: n }))
const refs = <T>(ref: fc.Arbitrary<T>) => fc.array(ref, { minLength: 1, maxLength: 2 })

const users = fc.oneof(
  userData.map((data) => call('user', 'create')({ data })),
  fc
    .record({
      data: userData,
      posts: fc.array(postData, { maxLength: 2 }),
      bio: word,
      tags: fc.array(tagRef, { maxLength: 2 }),
    })
    .map(({ data: { managerId: _, ...data }, posts, bio, tags }) =>
      call(
        'user',
        'create',
      )({
        data: {
          ...data,
          profile: { create: { id: `f${data.id}`, bio } },
          posts: { create: posts.map((post) => ({ ...post, tags: { connect: tags } })) },
        },
      }),
    ),
  fc
    .array(userData, { maxLength: 3 })
    .map((data) => call('user', 'createMany')({ data, skipDuplicates: true })),
  fc
    .record({
      id,
      data: some({
        id,
        name: fc.option(word),
        level: fc.constantFrom('LOW', 'HIGH'),
        managerId: maybeId,
        loginCount: fc.constant({ increment: 1 }),
      }),
    })
    .map(({ id, data }) => call('user', 'update')({ where: { id }, data: { ...data, updatedAt: at } })),
  fc
    .record({ ids, data: some({ name: word, managerId: maybeId }) })
    .map(({ ids, data }) =>
      call('user', 'updateMany')({ where: { id: { in: ids } }, data: { ...data, updatedAt: at } }),
    ),
  fc
    .record({
      id,
      field: fc.constantFrom('friends', 'friendOf'),
      verb: fc.constantFrom('connect', 'disconnect', 'set'),
      refs: refs(userRef),
    })
    .map(({ id, field, verb, refs }) =>
      call('user', 'update')({ where: { id }, data: { updatedAt: at, [field]: { [verb]: refs } } }),
    ),
  fc
    .record({
      id,
      field: fc.constantFrom('posts', 'reviews'),
      verb: fc.constantFrom('connect', 'disconnect', 'set', 'delete'),
      refs: refs(postRef),
    })
    .map(({ id, field, verb, refs }) =>
      call('user', 'update')({ where: { id }, data: { updatedAt: at, [field]: { [verb]: refs } } }),
    ),
  fc.record({ id, bio: word }).map(({ id, bio }) =>
    call(
      'user',
      'update',
    )({
      where: { id },
      data: { updatedAt: at, profile: { upsert: { create: { id: `f${id}`, bio }, update: { bio } } } },
    }),
  ),
  userData.map(({ managerId, ...data }) =>
    call(
      'user',
      'upsert',
    )({ where: { id: data.id }, create: data, update: { name: data.name, managerId, updatedAt: at } }),
  ),
  id.map((n) => call('user', 'delete')({ where: { id: n } })),
  ids.map((some) => call('user', 'deleteMany')({ where: { id: { in: some } } })),
)

const posts = fc.oneof(
  fc
    .record({ data: postData, authorId: maybeId, reviewerId: maybeId })
    .map(({ data, ...more }) => call('post', 'create')({ data: { ...data, ...more } })),
  fc
    .record({
      id: postId,
      verb: fc.constantFrom('connect', 'disconnect', 'set', 'delete'),
      refs: refs(tagRef),
    })
    .map(({ id, verb, refs }) => call('post', 'update')({ where: { id }, data: { tags: { [verb]: refs } } })),
  fc.record({ id: postId, tags: fc.array(tagData, { minLength: 1, maxLength: 2 }) }).map(({ id, tags }) =>
    call(
      'post',
      'update',
    )({
      where: { id },
      data: { tags: { connectOrCreate: tags.map((create) => ({ where: { id: create.id }, create })) } },
    }),
  ),
  fc
    .record({ id: postId, to: postId })
    .map(({ id, to }) => call('post', 'update')({ where: { id }, data: { id: to } })),
  fc
    .record({
      ids: fc.uniqueArray(postId, { minLength: 1, maxLength: 3 }),
      data: some({ title: word, views: fc.constant({ increment: 2 }), authorId: maybeId }),
    })
    .map(({ ids, data }) => call('post', 'updateManyAndReturn')({ where: { id: { in: ids } }, data })),
  fc
    .record({ id: postId, title: word })
    .map(({ id, title }) =>
      call('post', 'upsert')({ where: { id }, create: { id, title }, update: { title } }),
    ),
  fc.record({ id, postId, userId: maybeId, text: word }).map((data) => call('comment', 'create')({ data })),
  fc
    .record({ id, text: word })
    .map(({ id, text }) => call('comment', 'update')({ where: { id }, data: { text } })),
  postId.map((value) => call('post', 'delete')({ where: { id: value } })),
  fc.constant(call('post', 'deleteMany')({})),
  tagData.map((data) => call('tag', 'create')({ data })),
  fc
    .array(tagData, { maxLength: 3 })
    .map((data) => call('tag', 'createManyAndReturn')({ data, skipDuplicates: true })),
  fc
    .record({ id, to: id })
    .map(({ id, to }) => call('tag', 'update')({ where: { id }, data: { id: to, name: `t${to}` } })),
  ids.map((some) => call('tag', 'deleteMany')({ where: { id: { in: some } } })),
)

const shelf = fc.record({ warehouseCode: code, number: id })
const storage = fc.oneof(
  fc
    .record({ code, city: word, number: id })
    .map(({ number, ...data }) =>
      call('warehouse', 'create')({ data: { ...data, shelves: { create: { number, label: 'l' } } } }),
    ),
  fc
    .record({ code, city: word })
    .map((data) =>
      call('warehouse', 'upsert')({ where: { code: data.code }, create: data, update: { city: data.city } }),
    ),
  fc
    .record({ code, to: code })
    .map(({ code, to }) =>
      call('warehouse', 'upsert')({ where: { code }, create: { code, city: 'c' }, update: { code: to } }),
    ),
  fc
    .record({ code, to: code })
    .map(({ code, to }) => call('warehouse', 'update')({ where: { code }, data: { code: to } })),
  shelf.map((data) => call('shelf', 'create')({ data })),
  fc
    .record({ key: shelf, number: id })
    .map(({ key, number }) =>
      call('shelf', 'update')({ where: { warehouseCode_number: key }, data: { number, label: 'moved' } }),
    ),
  fc
    .record({ id, key: shelf })
    .map(({ id, key }) =>
      call(
        'box',
        'create',
      )({ data: { id, warehouseCode: key.warehouseCode, shelfNumber: key.number, content: 'x' } }),
    ),
  id.map((n) => call('box', 'deleteMany')({ where: { id: { gte: n } } })),
  code.map((value) => call('warehouse', 'delete')({ where: { code: value } })),
)

const others = fc.oneof(
  fc.record({ id, name: word, parentId: maybeId }).map((data) => call('category', 'create')({ data })),
  fc
    .record({ id, to: id, parentId: maybeId })
    .map(({ id, to, parentId }) => call('category', 'update')({ where: { id }, data: { id: to, parentId } })),
  ids.map((some) => call('category', 'deleteMany')({ where: { id: { in: some } } })),
  code.map((value) => call('status', 'create')({ data: { code: value === 'A' ? 'open' : value } })),
  fc
    .record({ id, code })
    .map(({ id, code }) =>
      call('ticket', 'create')({ data: { id, title: 't', statusCode: code === 'A' ? 'open' : code } }),
    ),
  fc
    .record({ from: code, to: code })
    .map(({ from, to }) => call('status', 'update')({ where: { code: from }, data: { code: to } })),
  code.map((value) => call('status', 'deleteMany')({ where: { code: value } })),
  fc.record({ key: code, language: code, text: word }).map((data) =>
    call(
      'translation',
      'upsert',
    )({
      where: { key_language: { key: data.key, language: data.language } },
      create: data,
      update: { text: data.text, revision: { increment: 1 } },
    }),
  ),
  fc
    .record({ sensor: code, value: fc.constantFrom(0, 1.5, -1) })
    .map((data) =>
      call(
        'reading',
        'upsert',
      )({ where: { sensor: data.sensor }, create: data, update: { value: data.value } }),
    ),
  fc.constant(call('reading', 'updateMany')({ data: { value: { multiply: 2 } } })),
  fc.record({ id, counter: id }).map((data) =>
    call(
      'stamped',
      'upsert',
    )({
      where: { id: data.id },
      create: { ...data, meters: { create: { id: data.id } } },
      update: { counter: data.counter },
    }),
  ),
  ids.map((some) => call('stamped', 'deleteMany')({ where: { id: { in: some } } })),
  fc.record({ id, a: id, b: id, c: id }).map(({ id, a, b, c }) =>
    call(
      'org',
      'create',
    )({
      data: {
        id,
        name: 'o',
        teams: { create: [{ id: a, tasks: { create: { id: c, title: 't', leadId: b } } }] },
        projects: { create: { id: b, tasks: { connect: [{ id: c }] } } },
      },
    }),
  ),
  fc
    .record({ id, teamId: maybeId, leadId: maybeId, projectId: maybeId })
    .map((data) => call('task', 'create')({ data: { ...data, title: 't' } })),
  fc
    .record({ model: fc.constantFrom('org', 'team', 'project'), ids })
    .map(({ model, ids }) => call(model, 'deleteMany')({ where: { id: { in: ids } } })),
  fc.record({ id, eggId: maybeId }).map((data) => call('chicken', 'create')({ data })),
  fc.record({ id, chickenId: maybeId }).map((data) => call('egg', 'create')({ data })),
  fc
    .record({ id, eggId: maybeId })
    .map(({ id, eggId }) => call('chicken', 'update')({ where: { id }, data: { eggId } })),
  id.map((n) => call('chicken', 'delete')({ where: { id: n } })),
)

const sql = (text: string): Call => ({ model: '', operation: '$executeRawUnsafe', args: text })
const literal = (value: string | number | null) =>
  typeof value === 'number' ? `${value}` : value === null ? 'NULL' : `'${value}'`
const raw = fc.oneof(
  fc
    .record({ code, parent: fc.option(code), other: fc.option(code) })
    .map(({ code, parent, other }) =>
      sql(`INSERT INTO node VALUES (${[code, 0, parent, other].map(literal).join(', ')})`),
    ),
  fc
    .record({ id, code: fc.option(code) })
    .map(({ id, code }) => sql(`INSERT INTO counted VALUES (${id}, ${literal(code)})`)),
  fc
    .record({ from: code, to: code })
    .map(({ from, to }) =>
      sql(`UPDATE node SET code = ${literal(to)}, touched = touched + 1 WHERE code = ${literal(from)}`),
    ),
  code.map((value) =>
    sql(
      `UPDATE node SET code = CASE code WHEN ${literal(value)} THEN 'Z' ELSE code END, touched = touched + 1`,
    ),
  ),
  fc.constant(sql(`UPDATE node SET code = code || '.'`)),
  fc.constant(sql(`UPDATE node SET parent = other, other = parent`)),
  code.map((value) => sql(`DELETE FROM node WHERE code = ${literal(value)}`)),
  code.map((value) => sql(`DELETE FROM node WHERE code <> ${literal(value)}`)),
  fc.constant(sql('UPDATE users SET id = id + 10')),
  fc.constant(sql('UPDATE users SET id = id - 10 WHERE id > 10')),
  fc.constant(sql(`UPDATE "Post" SET id = id || 'x', "reviewerId" = "authorId"`)),
  fc.constant(sql(`UPDATE "Category" SET "parentId" = id`)),
  fc.constant(sql(`UPDATE "Category" SET id = id + 10, name = 'moved'`)),
  fc.constant(sql(`UPDATE "Tag" AS t SET name = u.email FROM users AS u WHERE u.id = t.id`)),
  fc.constant(
    sql(`DELETE FROM "Comment" AS c USING "Post" AS p WHERE p.id = c."postId" AND p."authorId" IS NULL`),
  ),
  fc.constant(sql(`INSERT INTO "Status" SELECT code FROM "Warehouse" ON CONFLICT DO NOTHING`)),
  fc.constant(
    sql(
      `INSERT INTO "Country" SELECT left(code || '  ', 2), city, 1 FROM "Warehouse" ON CONFLICT (code) DO NOTHING`,
    ),
  ),
  fc
    .record({ code, city: word })
    .map(({ code, city }) =>
      sql(
        `INSERT INTO "Warehouse" VALUES (${literal(code)}, ${literal(city)}), ('W', 'w') ON CONFLICT (code) DO UPDATE SET city = excluded.city`,
      ),
    ),
)

const one = fc.oneof(
  { weight: 4, arbitrary: users },
  { weight: 4, arbitrary: posts },
  { weight: 3, arbitrary: storage },
  { weight: 4, arbitrary: others },
  { weight: 4, arbitrary: raw },
)
const transaction: fc.Arbitrary<Transaction> = fc.record({
  transaction: fc.constantFrom('batch' as const, 'interactive' as const, 'rolled back' as const),
  calls: fc.array(one, { minLength: 1, maxLength: 4 }),
})
const step = fc.oneof({ weight: 7, arbitrary: one }, { weight: 1, arbitrary: transaction })

function run(client: Client, { model, operation, args }: Call): Prisma.PrismaPromise<unknown> {
  return model === '' ? client[operation](args) : client[model][operation](args)
}

async function perform(client: Client, step: Call | Transaction): Promise<string> {
  try {
    if (!('transaction' in step)) await run(client, step)
    else if (step.transaction === 'batch')
      await client.$transaction(step.calls.map((one) => run(client, one)))
    else {
      await client.$transaction(async (tx: Client) => {
        for (const one of step.calls) await run(tx, one)
        if (step.transaction === 'rolled back')
          throw Object.assign(new Error('rolled back'), { code: 'rolled back' })
      })
    }
    return 'done'
  } catch (error) {
    const { code, meta } = error as {
      code?: string
      meta?: { driverAdapterError?: { cause?: { originalCode?: string } } }
    }
    const refused = ['P2002', 'P2003', 'P2010', 'P2014', 'P2017', 'P2018', 'P2025', 'rolled back']
    const state = meta?.driverAdapterError?.cause?.originalCode ?? ''
    // a constraint may refuse a random operation, and a deadlock end it; anything else is a statement gone wrong
    const isRefused = refused.includes(code ?? '') && (code !== 'P2010' || state.startsWith('23'))
    if (!isRefused && state !== '40P01' && code !== 'P2034') throw error
    return `${code} ${state}`
  }
}

async function contents({ sql }: Pick<typeof db, 'sql'>): Promise<unknown> {
  const tables = await sql<{ name: string }>(`
    SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind = 'r' AND nspname = 'public' AND relname <> 'audit_logs' ORDER BY relname`)
  // the trigger's time of day differs
  const rows = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, (SELECT jsonb_agg(to_jsonb(t) - 'stamped_at' ORDER BY t::text) FROM "${name}" AS t) AS rows`,
  )
  return (await sql(`${rows.join(' UNION ALL ')} ORDER BY name`)).filter(({ rows }) => rows !== null)
}

const seconds = Number(process.env.SECONDS ?? 30)

it(
  'the log matches what row triggers saw, whatever is done in whatever order',
  async () => {
    const empty = await emptyingScript(db)
    const emptyPlain = await emptyingScript(plainDb)
    let operations = 0
    let entries = 0
    const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff)
    console.log(
      `fast-check seed ${seed} (SEED, RUNS, SECONDS and SHRINK=1 run it again, longer, or to a smaller example)`,
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 20, size: 'max' }), async (steps) => {
        await Promise.all([db.sql(empty), plainDb.sql(emptyPlain)])
        await Promise.all([db, plainDb].map(({ sql }) => sql(somethingOfEverything)))
        const since = await markOracle(db)
        for (const step of steps) {
          operations++
          const wanted = await perform(plain, step)
          expect(await perform(prisma, step)).toBe(wanted)
        }
        entries += await expectEntriesToMatchOracle(db, since)
        expect(await contents(db)).toEqual(await contents(plainDb))
      }),
      {
        seed,
        numRuns: Number(process.env.RUNS ?? 40),
        endOnFailure: process.env.SHRINK === undefined,
        interruptAfterTimeLimit: seconds * 1000,
      },
    )
    console.log(`${operations} operations, ${entries} entries`)
    expect(entries).toBeGreaterThan(100)
  },
  (seconds + 60) * 1000,
)

it(
  'the log matches what row triggers saw, also when several clients do it at once',
  async () => {
    const empty = await emptyingScript(db)
    let operations = 0
    let entries = 0
    const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff)
    console.log(`fast-check seed ${seed}; who is first differs from run to run`)
    const worker = fc.array(step, { minLength: 5, maxLength: 15, size: 'max' })
    await fc.assert(
      fc.asyncProperty(fc.array(worker, { minLength: 4, maxLength: 4 }), async (workers) => {
        await db.sql(empty)
        await db.sql(somethingOfEverything)
        const since = await markOracle(db)
        const work = async (steps: (Call | Transaction)[]) => {
          for (const step of steps) await perform(prisma, step)
          operations += steps.length
        }
        await Promise.all(workers.map(work))
        entries += await expectEntriesToMatchOracle(db, since)
      }),
      {
        seed,
        numRuns: Number(process.env.RUNS ?? 10),
        endOnFailure: true,
        interruptAfterTimeLimit: (seconds / 2) * 1000,
      },
    )
    console.log(`${operations} operations, ${entries} entries`)
    expect(entries).toBeGreaterThan(50)
  },
  (seconds + 60) * 1000,
)
