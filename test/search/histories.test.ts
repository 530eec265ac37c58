import fc from 'fast-check'
import { expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

/**
 * Random histories, looked back at from random times. The truth comes from row triggers that write every row down with
 * a clock of their own; a second database, where a past state is restored, tells what Prisma makes of it.
 */
const tables = {
  users: 'user',
  Profile: 'profile',
  Post: 'post',
  Comment: 'comment',
  Tag: 'tag',
  Category: 'category',
  Warehouse: 'warehouse',
  Shelf: 'shelf',
  Country: 'country',
  Translation: 'translation',
  Stamped: 'stamped',
  Meter: 'meter',
  Everything: 'everything',
} as const
type Table = keyof typeof tables
const names = Object.keys(tables) as Table[]
const deleteAll = names.map((name) => `DELETE FROM "${name}"`).join('; ')

const keys: Partial<Record<Table, string[]>> = {
  Warehouse: ['code'],
  Shelf: ['warehouseCode', 'number'],
  Country: ['code'],
  Translation: ['key', 'language'],
}
const keyOf = (table: Table, row: Record<string, unknown>) =>
  JSON.stringify((keys[table] ?? ['id']).map((name) => row[name]))

const db = await createDatabase()
const past = await createDatabase()
await db.sql(`
  CREATE SCHEMA truth;
  CREATE TABLE truth.change (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    statement_at timestamptz NOT NULL DEFAULT statement_timestamp(), "table" text NOT NULL, old jsonb, new jsonb);
  CREATE FUNCTION truth.write_down() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO truth.change ("table", old, new) VALUES (TG_TABLE_NAME,
      CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
  END $$`)
for (const table of names) {
  await db.sql(
    `CREATE TRIGGER write_down AFTER INSERT OR UPDATE OR DELETE ON "${table}" FOR EACH ROW EXECUTE FUNCTION truth.write_down()`,
  )
}
const plain = createClient(db.url)
const prismaOfPast = createClient(past.url)
const clients = {
  full: withAudit(createClient(db.url)),
  changed: withAudit(createClient(db.url), { snapshot: 'changed' }),
}

interface Call {
  readonly model: string
  readonly operation: string
  readonly args: unknown
}

const call = (model: string, operation: string, args: unknown): Call => ({ model, operation, args })
const raw = (sql: string): Call => ({ model: '', operation: '$executeRawUnsafe', args: sql })

const id = fc.integer({ min: 1, max: 3 })
const maybeId = fc.option(id, { freq: 3 })
const word = fc.constantFrom('a', 'b', 'é"\\', '')
const code = fc.constantFrom('A', 'B', 'C')
const some = <T extends Record<string, unknown>>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] })

const everything = some({
  boolean: fc.boolean(),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  double: fc.constantFrom(0.1, Number.NaN, Number.NEGATIVE_INFINITY),
  decimal: fc.constantFrom('1.50', '-123456789012345678.25'),
  money: fc.constantFrom('1234.50', '-5.00'),
  char: word,
  level: fc.constantFrom('LOW', 'HIGH', null),
  timestamp: fc.date({ min: new Date('0100-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }),
  date: fc.constant(new Date('2026-02-03')),
  time: fc.constant(new Date('1970-01-01T01:02:03.004Z')),
  jsonb: fc.constantFrom({ a: [1, null] }, 'text', 7, []),
  bytes: fc.uint8Array({ maxLength: 4 }),
  levels: fc.array(fc.constantFrom('LOW', 'HIGH'), { maxLength: 2 }),
  decimals: fc.array(fc.constantFrom('1.10'), { maxLength: 2 }),
})

const userData = fc.record({ id, name: fc.option(word) }).map((data) => ({ ...data, email: `u${data.id}` }))
const operation: fc.Arbitrary<Call> = fc.oneof(
  userData.map((data) => call('user', 'create', { data })),
  fc.record({ data: userData, bio: word, post: id }).map(({ data, bio, post }) =>
    call('user', 'create', {
      data: {
        ...data,
        profile: { create: { id: `f${data.id}`, bio } },
        posts: { create: { id: `p${post}`, title: bio, comments: { create: { id: post, text: 'c' } } } },
      },
    }),
  ),
  userData.map((data) =>
    call('user', 'upsert', { where: { id: data.id }, create: data, update: { name: data.name } }),
  ),
  fc
    .record({ id, data: some({ id, name: word, level: fc.constantFrom('LOW', 'HIGH'), managerId: maybeId }) })
    .map(({ id, data }) => call('user', 'update', { where: { id }, data })),
  fc.constant(call('user', 'updateMany', { data: { loginCount: { increment: 1 } } })),
  id.map((n) => call('user', 'delete', { where: { id: n } })),
  fc
    .array(userData, { maxLength: 3 })
    .map((data) => call('user', 'createMany', { data, skipDuplicates: true })),
  fc
    .record({ id, authorId: maybeId, reviewerId: maybeId })
    .map(({ id, ...data }) => call('post', 'create', { data: { id: `p${id}`, title: 't', ...data } })),
  fc
    .record({ id, to: id })
    .map(({ id, to }) =>
      call('post', 'update', { where: { id: `p${id}` }, data: { id: `p${to}`, views: to } }),
    ),
  id.map((n) => call('post', 'delete', { where: { id: `p${n}` } })),
  fc
    .record({ id, n: id })
    .map(({ id, n }) => call('comment', 'create', { data: { id, text: 'c', postId: `p${n}` } })),
  fc
    .record({ id, name: word })
    .map(({ id, name }) => call('tag', 'upsert', { where: { id }, create: { id, name }, update: { name } })),
  id.map((n) => call('tag', 'deleteMany', { where: { id: { gte: n } } })),
  fc
    .record({ id, parentId: maybeId })
    .map((data) => call('category', 'create', { data: { ...data, name: 'c' } })),
  fc
    .record({ id, to: id, parentId: maybeId })
    .map(({ id, to, parentId }) => call('category', 'update', { where: { id }, data: { id: to, parentId } })),
  id.map((n) => call('category', 'delete', { where: { id: n } })),
  fc
    .record({ code, number: id })
    .map(({ code, number }) =>
      call('warehouse', 'create', { data: { code, city: 'c', shelves: { create: { number, label: 'l' } } } }),
    ),
  fc
    .record({ code, to: code })
    .map(({ code, to }) => call('warehouse', 'update', { where: { code }, data: { code: to } })),
  code.map((value) => call('warehouse', 'delete', { where: { code: value } })),
  fc
    .record({ warehouseCode: code, number: id, to: id, label: word })
    .map(({ to, label, ...key }) =>
      call('shelf', 'update', { where: { warehouseCode_number: key }, data: { number: to, label } }),
    ),
  fc.record({ warehouseCode: code, number: id }).map((data) => call('shelf', 'create', { data })),
  fc
    .record({ code, name: word, population: fc.constantFrom(0n, 2n ** 62n) })
    .map((data) => call('country', 'upsert', { where: { code: data.code }, create: data, update: data })),
  fc.record({ key: code, language: code, text: word }).map((data) =>
    call('translation', 'upsert', {
      where: { key_language: { key: data.key, language: data.language } },
      create: data,
      update: { text: data.text, revision: { increment: 1 } },
    }),
  ),
  fc.record({ id, counter: id }).map((data) =>
    call('stamped', 'upsert', {
      where: { id: data.id },
      create: { ...data, meters: { create: { id: data.id } } },
      update: { counter: data.counter },
    }),
  ),
  id.map((n) => call('stamped', 'deleteMany', { where: { id: n } })),
  fc
    .record({ id: id.map(BigInt), data: everything })
    .map(({ id, data }) =>
      call('everything', 'upsert', { where: { id }, create: { id, ...data }, update: data }),
    ),
  id.map((n) => call('everything', 'delete', { where: { id: BigInt(n) } })),
  fc.constantFrom(
    raw('UPDATE users SET id = id + 3'),
    raw('UPDATE users SET id = id - 3 WHERE id > 3'),
    raw('UPDATE "Everything" SET timestamp6 = clock_timestamp(), text = level::text'),
    raw('DELETE FROM "Post" WHERE "authorId" IS NULL'),
  ),
)
const step = fc.record({
  snapshot: fc.constantFrom('full', 'changed'),
  calls: fc.oneof(
    { weight: 4, arbitrary: operation.map((one) => [one]) },
    { weight: 1, arbitrary: fc.array(operation, { minLength: 2, maxLength: 4 }) },
  ),
  isRolledBack: fc.boolean(),
})
type Step = { snapshot: string; calls: Call[]; isRolledBack: boolean }

// biome-ignore lint/suspicious/noExplicitAny: a client or a transaction, audited or not
type Client = any

const run = async (client: Client, { model, operation, args }: Call) =>
  model === '' ? await client[operation](args) : await client[model][operation](args)

/** Performs a step and gives the times after each of its calls. What the database refuses is not done. */
async function perform(client: Client, { calls, isRolledBack }: Step): Promise<string[]> {
  const times: string[] = []
  const isRefused = (error: Error) => 'code' in error || error.message === 'rolled back'
  const [only] = calls
  const work = async () => {
    if (calls.length === 1 && only) return run(client, only)
    await client.$transaction(async (tx: Client) => {
      for (const one of calls) {
        await run(tx, one)
        times.push(await db.now())
      }
      if (isRolledBack) throw new Error('rolled back')
    })
  }
  await work().catch((error: Error) => {
    if (!isRefused(error)) throw error
  })
  return [...times, await db.now()]
}

/** Empties everything, the log too. */
async function startOver(): Promise<void> {
  await db.sql(`
    SET session_replication_role = replica;
    ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_refuse_delete;
    DELETE FROM audit_logs;
    ALTER TABLE audit_logs ENABLE ALWAYS TRIGGER audit_logs_refuse_delete;
    DELETE FROM truth.change;
    ${deleteAll};
    SET session_replication_role = origin`)
}

/** Restores the rows of a time in the second database; gives every row that there ever was by table and key. */
async function restore(time: string): Promise<Map<Table, Map<string, Row>>> {
  const seen = new Map<Table, Map<string, Row>>(names.map((table) => [table, new Map()]))
  // as text, since JavaScript's numbers are not PostgreSQL's
  const rows = new Map<Table, Map<string, string>>(names.map((table) => [table, new Map()]))
  const changes = await db.sql<Change>(
    `SELECT "table", statement_at::text AS statement, at <= $1::timestamptz AS "isPast", old::text, new::text
     FROM truth.change ORDER BY id`,
    [time],
  )
  const key = (table: Table, text: string) => {
    const row: Row = JSON.parse(text)
    seen.get(table)?.set(keyOf(table, row), row)
    return keyOf(table, row)
  }
  const statements = new Map<string, Change[]>()
  for (const change of changes) {
    statements.set(change.statement, [...(statements.get(change.statement) ?? []), change])
  }
  for (const statement of statements.values()) {
    for (const { table, old, isPast } of statement) {
      const id = old !== null && key(table, old)
      if (id && isPast) rows.get(table)?.delete(id)
    }
    for (const { table, new: row, isPast } of statement) {
      const id = row !== null && key(table, row)
      if (id && isPast) rows.get(table)?.set(id, row)
    }
  }
  const client = await past.pool.connect()
  try {
    await client.query('SET session_replication_role = replica')
    await client.query(deleteAll)
    for (const [table, byKey] of rows) {
      const all = `[${[...byKey.values()].join(', ')}]`
      await client.query(
        `INSERT INTO "${table}" SELECT * FROM jsonb_populate_recordset(NULL::"${table}", $1)`,
        [all],
      )
    }
  } finally {
    await client.query('SET session_replication_role = origin')
    client.release()
  }
  return seen
}

interface Change {
  table: Table
  statement: string
  isPast: boolean
  old: string | null
  new: string | null
}
type Row = Record<string, unknown>

async function expectStatesToMatch(time: string): Promise<number> {
  let compared = 0
  for (const [table, byKey] of await restore(time)) {
    const resource = tables[table]
    const keyNames = keys[table] ?? ['id']
    const wanted: Row[] = await (prismaOfPast as Client)[resource].findMany()
    const model = resource.charAt(0).toUpperCase() + resource.slice(1)
    const look = async (key: Row) => {
      const isSame = (row: Row) =>
        keyNames.every((name) => String(row[name]).trimEnd() === String(key[name]).trimEnd())
      const where = Object.fromEntries(keyNames.map((name) => [name, key[name]]))
      const state = await clients.full.$audit.stateAt(model as 'User', where, time)
      expect({ model, where, time, state }).toEqual({
        model,
        where,
        time,
        state: wanted.find(isSame) ?? null,
      })
    }
    await Promise.all([...byKey.values()].map(look))
    compared += byKey.size
  }
  return compared
}

const runs = Number(process.env.RUNS ?? 25)

it('stateAt gives what was there, whatever happened before and after, and however late the audit began', {
  timeout: runs * 20_000,
}, async () => {
  const seed = Number(process.env.SEED ?? Date.now() & 0x7fffffff)
  console.log(
    `fast-check seed ${seed} (SEED, RUNS and SHRINK=1 run it again, longer, or to a smaller example)`,
  )
  let compared = 0
  const history = fc.record({
    unaudited: fc.array(step, { maxLength: 6 }),
    steps: fc.array(step, { minLength: 6, maxLength: 20, size: 'max' }),
    mode: fc.constantFrom('full', 'changed', 'mixed'),
    looks: fc.array(fc.nat(), { minLength: 6, maxLength: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(history, async ({ unaudited, steps, mode, looks }) => {
      await startOver()
      for (const one of unaudited) await perform(plain, one)
      const times = [await db.now()]
      for (const one of steps) {
        const snapshot = (mode === 'mixed' ? one.snapshot : mode) as keyof typeof clients
        times.push(...(await perform(clients[snapshot], one)))
      }
      const picked = new Set([times[0] as string, ...looks.map((n) => times[n % times.length] as string)])
      for (const time of picked) compared += await expectStatesToMatch(time)
    }),
    {
      seed,
      numRuns: runs,
      endOnFailure: process.env.SHRINK === undefined,
    },
  )
  console.log(`${compared} states compared`)
  expect(compared).toBeGreaterThan(100)
})
