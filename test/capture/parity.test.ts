import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { Prisma, PrismaClient } from '../generated/client/client.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { describeError, outcome } from '../support/outcome.ts'
import { emptyingScript } from './audited.ts'

// The same calls on two clones of one database, one audited and one not: what comes back must be the same.
const [plainDb, auditedDb] = [await createDatabase(), await createDatabase()]
const plain = createClient(plainDb.url)
const audited = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: auditedDb.url }) }))
afterAll(() => audited.$disconnect())

const both = async (sql: string) => {
  await Promise.all([plainDb.sql(sql), auditedDb.sql(sql)])
}

const setUp = `
  ALTER TABLE "Tag" ADD CONSTRAINT tag_short CHECK (length(name) < 100);
  CREATE TABLE booking (id int PRIMARY KEY, room int4range, EXCLUDE USING gist (room WITH &&));
  CREATE TABLE late (id int PRIMARY KEY, tag int REFERENCES "Tag" DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE guarded (id int PRIMARY KEY, note text);
  CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF coalesce(NEW.note, OLD.note) = 'skip' THEN RETURN NULL; END IF;
    IF coalesce(NEW.note, OLD.note) = 'refuse' THEN
      RAISE EXCEPTION 'guarded says no' USING ERRCODE = 'GU001', HINT = 'ask nicely', DETAIL = 'a detail';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END $$;
  CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
  CREATE VIEW tags AS SELECT * FROM "Tag";
  CREATE FUNCTION add_tag(text) RETURNS int LANGUAGE sql AS $$ INSERT INTO "Tag" (name) VALUES ($1) RETURNING id $$;
  CREATE TABLE parted (id int, name text) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
  CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
`
const [{ version } = { version: 0 }] = await plainDb.sql<{ version: number }>(
  `SELECT current_setting('server_version_num')::int / 10000 AS version`,
)

let empty = ''
beforeAll(async () => {
  await both(setUp)
  empty = await emptyingScript(plainDb)
})

beforeEach(() =>
  both(`
    ${empty}
    INSERT INTO "Tag" (name) VALUES ('a'), ('b'), ('c');
    INSERT INTO users (id, email, name, created_at, updated_at)
      SELECT n, 'u' || n || '@x.org', 'User ' || n, '2026-01-01', '2026-01-01' FROM generate_series(1, 3) AS n;
    INSERT INTO "Post" (id, title, "authorId") VALUES ('p1', 'one', 1), ('p2', 'two', 1), ('p3', 'three', 2);
    INSERT INTO "Comment" (text, "postId", "userId") VALUES ('c1', 'p1', 1), ('c2', 'p1', 2), ('c3', 'p2', NULL);
    INSERT INTO "_PostToTag" VALUES ('p1', 1), ('p1', 2);
    INSERT INTO "Warehouse" VALUES ('ZH', 'Zürich');
    INSERT INTO "Shelf" VALUES ('ZH', 1, NULL);
    INSERT INTO "Box" VALUES (1, 'ZH', 1, 'x');
    INSERT INTO "Country" VALUES ('CH', 'Swiss', 8);
    INSERT INTO guarded VALUES (1, 'plain');
    SELECT setval(pg_get_serial_sequence('users', 'id'), 3);
  `),
)

const at = new Date('2026-01-02T03:04:05.006Z')
const user = (id: number, more = {}) => ({ id, email: `u${id}@x.org`, createdAt: at, updatedAt: at, ...more })

/** A call that must do the same with and without audit, to the caller and to the database. */
function same(name: string, work: (client: PrismaClient) => PromiseLike<unknown>, failsWith?: string): void {
  it(name, async () => {
    const expected = await outcome(() => work(plain))
    const actual = await outcome(() => work(audited as unknown as PrismaClient))
    expect(actual).toEqual(expected)
    const [wanted, found] = await Promise.all([contents(plainDb), contents(auditedDb)])
    expect(found).toEqual(wanted)
    const { error } = expected as { error?: { code?: string; name?: string } }
    if (failsWith === undefined) expect(error).toBeUndefined()
    else expect([error?.code, error?.name]).toContain(failsWith)
  })
}

/** A failing call: the code that Prisma gives without audit, which the audited client must give too. */
const sameError = (code: string, name: string, work: (client: PrismaClient) => PromiseLike<unknown>) =>
  same(`${code}: ${name}`, work, code)

async function contents({ sql }: typeof plainDb): Promise<unknown> {
  const tables = ['Tag', 'users', 'Post', 'Comment', '_PostToTag', 'Warehouse', 'Shelf', 'Box', 'Country']
  const more = [
    'Reading',
    'Stamped',
    'Translation',
    'Status',
    'booking',
    'late',
    'guarded',
    'parted',
    'Category',
  ]
  const queries = [...tables, ...more, 'Everything'].map(
    (table) =>
      `SELECT '${table}' AS name, coalesce(jsonb_agg(to_jsonb(t) ORDER BY t::text), '[]') AS rows FROM "${table}" AS t`,
  )
  return sql(`${queries.join(' UNION ALL ')} ORDER BY name`)
}

describe('model operations give the same value', () => {
  same('create', (db) => db.user.create({ data: user(9, { passwordHash: 'secret' }) }))
  same('create, generated id', (db) => db.tag.create({ data: { name: 'new' } }))
  same('create with select', (db) => db.user.create({ data: user(9), select: { email: true, level: true } }))
  same('create with omit', (db) =>
    db.user.create({ data: user(9), omit: { email: true, passwordHash: true } }),
  )
  same('create with include', (db) =>
    db.user.create({
      data: { ...user(9), posts: { create: { id: 'p9', title: 't', tags: { connect: { id: 1 } } } } },
      include: { posts: { include: { tags: true } }, _count: { select: { posts: true } } },
    }),
  )
  same('create with nothing but the count of a relation', (db) =>
    db.user.create({ data: user(9), select: { _count: true } }),
  )
  same('createMany', (db) => db.tag.createMany({ data: [{ name: 'x' }, { name: 'y' }] }))
  same('createMany of nothing', (db) => db.tag.createMany({ data: [] }))
  same('createMany that skips duplicates', (db) =>
    db.tag.createMany({ data: [{ name: 'a' }, { name: 'y' }], skipDuplicates: true }),
  )
  same('createManyAndReturn', (db) => db.tag.createManyAndReturn({ data: [{ name: 'y' }, { name: 'x' }] }))
  same('createManyAndReturn that skips duplicates', (db) =>
    db.tag.createManyAndReturn({ data: [{ name: 'y' }, { name: 'a' }], skipDuplicates: true }),
  )
  same('createManyAndReturn with a relation', (db) =>
    db.post.createManyAndReturn({
      data: [
        { id: 'p8', title: 'x', authorId: 1 },
        { id: 'p9', title: 'y' },
      ],
      select: { title: true, author: { select: { email: true } } },
    }),
  )
  same('createManyAndReturn with omit', (db) =>
    db.user.createManyAndReturn({ data: [user(8), user(9)], omit: { email: true } }),
  )
  same('update', (db) => db.user.update({ where: { id: 1 }, data: { name: 'x', updatedAt: at } }))
  same('update that changes nothing', (db) =>
    db.country.update({ where: { code: 'CH' }, data: { name: 'Swiss' } }),
  )
  same('update with no data', (db) => db.country.update({ where: { code: 'CH' }, data: {} }))
  same('update with select', (db) =>
    db.user.update({
      where: { email: 'u1@x.org' },
      data: { name: 'x', updatedAt: at },
      select: { id: true },
    }),
  )
  same('update with include', (db) =>
    db.user.update({
      where: { id: 1 },
      data: {
        updatedAt: at,
        posts: { update: { where: { id: 'p1' }, data: { title: 'x' } }, disconnect: { id: 'p2' } },
      },
      include: { posts: { orderBy: { id: 'asc' } } },
    }),
  )
  same('update of the key', (db) =>
    db.warehouse.update({
      where: { code: 'ZH' },
      data: { code: 'BE' },
      include: { shelves: { include: { boxes: true } } },
    }),
  )
  same('update on a table with a trigger', async (db) => {
    const { id } = await db.meter.create({ data: {} })
    return db.meter.update({ where: { id }, data: { stampedId: null } })
  })
  same('updateMany', (db) =>
    db.post.updateMany({ where: { authorId: 1 }, data: { views: { increment: 2 } } }),
  )
  same('updateMany of nothing', (db) => db.post.updateMany({ where: { id: 'none' }, data: { views: 1 } }))
  same('updateMany with a limit', (db) => db.comment.updateMany({ data: { text: 'x' }, limit: 3 }))
  same('updateManyAndReturn', (db) =>
    db.post.updateManyAndReturn({ where: { id: 'p1' }, data: { views: 2 }, include: { author: true } }),
  )
  same('updateManyAndReturn with select', (db) =>
    db.post.updateManyAndReturn({ where: { id: 'p1' }, data: { views: 2 }, select: { views: true } }),
  )
  same('upsert that creates', (db) =>
    db.country.upsert({ where: { code: 'DE' }, create: { code: 'DE', name: 'G' }, update: { name: 'x' } }),
  )
  same('upsert that updates', (db) =>
    db.country.upsert({ where: { code: 'CH' }, create: { code: 'CH', name: 'G' }, update: { name: 'x' } }),
  )
  same('upsert with select', (db) =>
    db.country.upsert({
      where: { code: 'CH' },
      create: { code: 'CH', name: 'G' },
      update: { population: { increment: 1 } },
      select: { population: true },
    }),
  )
  same('upsert by reading first', (db) =>
    db.tag.upsert({
      where: { id: 1 },
      create: { name: 'z' },
      update: { name: 'z' },
      include: { posts: true },
    }),
  )
  same('upsert with nested writes', (db) =>
    db.user.upsert({
      where: { id: 1 },
      create: user(1),
      update: { updatedAt: at, posts: { create: { id: 'p9', title: 't' } } },
      include: { posts: { orderBy: { id: 'asc' } } },
    }),
  )
  same('delete', (db) => db.country.delete({ where: { code: 'CH' } }))
  same('delete with select', (db) => db.post.delete({ where: { id: 'p1' }, select: { title: true } }))
  same('delete with include', (db) =>
    db.user.delete({
      where: { id: 1 },
      include: { posts: { orderBy: { id: 'asc' }, include: { comments: true } } },
    }),
  )
  same('delete with omit', (db) => db.user.delete({ where: { id: 3 }, omit: { name: true } }))
  same('deleteMany', (db) => db.user.deleteMany({ where: { id: { lt: 3 } } }))
  same('deleteMany of nothing', (db) => db.user.deleteMany({ where: { id: -1 } }))
  same('deleteMany of everything', (db) => db.comment.deleteMany())
  same('deleteMany with a limit', (db) => db.comment.deleteMany({ limit: 3 }))
  same('every way of reading', async (db) => [
    await db.user.findMany({ include: { posts: true }, orderBy: { id: 'asc' } }),
    await db.user.findUnique({ where: { id: 1 } }),
    await db.user.findFirst({ where: { email: { contains: '2' } } }),
    await db.user.count(),
    await db.user.aggregate({ _avg: { id: true }, _max: { email: true } }),
    await db.post.groupBy({ by: ['authorId'], _count: true, orderBy: { authorId: 'asc' } }),
    await db.user.findUniqueOrThrow({ where: { id: 2 } }).posts(),
  ])
  same('the fluent form of a write', (db) =>
    db.post.update({ where: { id: 'p1' }, data: { views: 1 } }).author(),
  )
  same('values of every type', (db) =>
    db.everything.create({
      data: {
        id: 9_007_199_254_740_993n,
        boolean: true,
        smallint: 1,
        integer: 2,
        bigint: 3n,
        real: 0.5,
        double: 0.1,
        decimal: '1.50',
        numeric: '2.5',
        money: '3.25',
        text: 't',
        varchar: 'v',
        char: 'c',
        citext: 'C',
        uuid: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
        inet: '10.0.0.1',
        bit: '101',
        xml: '<a/>',
        level: 'HIGH',
        timestamp: at,
        timestamp6: at,
        timestamptz: at,
        date: new Date('2026-01-02'),
        time: at,
        timetz: at,
        json: { a: [1, null] },
        jsonb: { b: 'x' },
        bytes: new Uint8Array([0, 255]),
        integers: [1],
        bigints: [2n],
        decimals: ['1.5'],
        texts: ['a', 'b"'],
        levels: ['LOW', 'HIGH'],
        timestamps: [at],
        dates: [new Date('2026-01-02')],
        jsons: [{ a: 1 }, 'x'],
        blobs: [new Uint8Array([7])],
        uuids: ['6f9619ff-8b86-d011-b42d-00c04fc964ff'],
      },
    }),
  )
  same('values of every type, updated, returned and deleted', async (db) => {
    await db.everything.create({ data: { id: 1n, decimal: '1', level: 'LOW' } })
    return [
      await db.everything.update({
        where: { id: 1n },
        data: { decimal: { increment: '0.1' }, texts: { push: 'x' } },
      }),
      await db.everything.updateManyAndReturn({ data: { levels: ['LOW'], jsonb: Prisma.JsonNull } }),
      await db.everything.delete({ where: { id: 1n } }),
    ]
  })
})

describe('transactions give the same value', () => {
  same('a batch', (db) =>
    db.$transaction([
      db.tag.create({ data: { name: 'x' } }),
      db.tag.update({ where: { name: 'x' }, data: { name: 'y' } }),
      db.post.deleteMany({ where: { id: 'p3' } }),
      db.$executeRaw`UPDATE "Tag" SET name = name || '!'`,
      db.$queryRaw`SELECT id, name FROM "Tag" ORDER BY id`,
      db.tag.count(),
    ]),
  )
  same('an empty batch', (db) => db.$transaction([]))
  same('an interactive transaction', (db) =>
    db.$transaction(
      async (tx) => {
        const tag = await tx.tag.create({ data: { name: 'x' } })
        await tx.user.delete({ where: { id: 1 } })
        return [tag, await tx.tag.count(), await tx.$queryRaw`SELECT count(*) FROM users`]
      },
      { isolationLevel: 'Serializable' },
    ),
  )
  same('an interactive transaction whose error is caught after a failed write', (db) =>
    db
      .$transaction(async (tx) => {
        const first = await outcome(() => tx.tag.create({ data: { name: 'a' } }))
        const second = await outcome(() => tx.tag.count())
        return [first, second]
      })
      .then((value) => value, describeError),
  )
  sameError('P2002', 'a batch whose second write fails', (db) =>
    db.$transaction([db.tag.create({ data: { name: 'x' } }), db.tag.create({ data: { name: 'a' } })]),
  )
  sameError('Error', 'an interactive transaction that throws', (db) =>
    db.$transaction(async (tx) => {
      await tx.tag.create({ data: { name: 'x' } })
      throw new Error('mine')
    }),
  )
})

describe('errors are the same', () => {
  sameError('P2002', 'create', (db) => db.tag.create({ data: { name: 'a' } }))
  sameError('P2002', 'create with a duplicate key', (db) =>
    db.user.create({ data: user(1, { email: 'new' }) }),
  )
  sameError('P2002', 'create with a duplicate composite key', async (db) => {
    const data = { key: 'k', language: 'en', text: 't' }
    await db.translation.create({ data })
    return db.translation.create({ data: { ...data, text: 'u' } })
  })
  sameError('P2002', 'createMany', (db) => db.tag.createMany({ data: [{ name: 'x' }, { name: 'a' }] }))
  sameError('P2002', 'createManyAndReturn', (db) => db.tag.createManyAndReturn({ data: [{ name: 'a' }] }))
  sameError('P2002', 'update', (db) => db.tag.update({ where: { id: 1 }, data: { name: 'b' } }))
  sameError('P2002', 'updateMany', (db) => db.tag.updateMany({ data: { name: 'same' } }))
  sameError('P2002', 'upsert', (db) =>
    db.user.upsert({ where: { id: 9 }, create: user(9, { email: 'u1@x.org' }), update: {} }),
  )
  sameError('P2002', 'nested create', (db) =>
    db.post.create({ data: { id: 'p9', title: 't', tags: { create: { name: 'a' } } } }),
  )
  sameError('P2003', 'create', (db) => db.post.create({ data: { id: 'p9', title: 't', authorId: 99 } }))
  sameError('P2003', 'update', (db) => db.post.update({ where: { id: 'p1' }, data: { authorId: 99 } }))
  sameError('P2003', 'delete that a restriction refuses', (db) =>
    db.shelf.delete({ where: { warehouseCode_number: { warehouseCode: 'ZH', number: 1 } } }),
  )
  sameError('P2003', 'delete that a restriction further down refuses', (db) =>
    db.warehouse.delete({ where: { code: 'ZH' } }),
  )
  sameError('P2003', 'deleteMany', (db) => db.warehouse.deleteMany())
  sameError('P2025', 'update', (db) => db.tag.update({ where: { id: 99 }, data: { name: 'x' } }))
  sameError('P2025', 'update of a table with a trigger', (db) =>
    db.stamped.update({ where: { id: 99 }, data: { counter: 1 } }),
  )
  sameError('P2025', 'delete', (db) => db.tag.delete({ where: { id: 99 } }))
  sameError('P2025', 'connect', (db) =>
    db.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 99 } } } }),
  )
  sameError('P2025', 'connect of a parent', (db) =>
    db.post.create({ data: { id: 'p9', title: 't', author: { connect: { id: 99 } } } }),
  )
  sameError('P2025', 'nested update', (db) =>
    db.user.update({
      where: { id: 1 },
      data: { posts: { update: { where: { id: 'p3' }, data: { title: 'x' } } } },
    }),
  )
  sameError('P2025', 'findUniqueOrThrow', (db) => db.tag.findUniqueOrThrow({ where: { id: 99 } }))
  sameError('P2014', 'disconnect of a required relation', (db) =>
    db.user.update({
      where: { id: 1 },
      data: { posts: { update: { where: { id: 'p1' }, data: { comments: { set: [] } } } } },
    }),
  )
  sameError('P2000', 'a value too long', (db) => db.everything.create({ data: { varchar: 'x'.repeat(51) } }))
  sameError('P2000', 'a value too long, by update', async (db) => {
    await db.everything.create({ data: { id: 1n } })
    return db.everything.update({ where: { id: 1n }, data: { varchar: 'x'.repeat(51) } })
  })
  sameError('P2020', 'a number out of range', async (db) => {
    await db.everything.create({ data: { id: 1n, integer: 2147483647 } })
    return db.everything.update({ where: { id: 1n }, data: { integer: { increment: 1 } } })
  })
  sameError('P2020', 'a numeric out of range', (db) => db.everything.create({ data: { numeric: '1e20' } }))
  sameError('P2039', 'a check constraint', (db) => db.tag.create({ data: { name: 'x'.repeat(200) } }))
  sameError('PrismaClientValidationError', 'an unknown field', (db) =>
    db.tag.create({ data: { nome: 'x' } as never }),
  )
  sameError('PrismaClientValidationError', 'a missing field', (db) => db.tag.create({ data: {} as never }))
  same(`a key longer than the log's column`, (db) => db.status.create({ data: { code: 'x'.repeat(400) } }))
})

describe('raw queries give the same rows, columns and types', () => {
  const raw = (name: string, sql: string, ...values: unknown[]) =>
    same(`${name}: ${sql.replace(/\s+/g, ' ').slice(0, 120)}`, (db) => db.$queryRawUnsafe(sql, ...values))

  raw(
    'select',
    `SELECT 1 AS a, 2::bigint AS b, 1.5 AS c, now() IS NOT NULL AS d, ARRAY[1,2] AS e, '{"a":1}'::jsonb AS f`,
  )
  raw('insert', `INSERT INTO "Tag" (name) VALUES ('x')`)
  raw('star', `INSERT INTO "Tag" (name) VALUES ('x'), ('y') RETURNING *`)
  raw('star', `UPDATE "Tag" SET name = name || '!' RETURNING *`)
  raw('star', `DELETE FROM "Tag" RETURNING *`)
  raw('star of the table', `UPDATE "Tag" SET name = name || '!' RETURNING "Tag".*`)
  raw('star of the alias', `UPDATE "Tag" AS t SET name = t.name || '!' RETURNING t.*, t.id AS again`)
  raw('star and more', `INSERT INTO "Tag" (name) VALUES ('x') RETURNING *, id + 1 AS next, name`)
  raw('star with a trigger', `UPDATE guarded SET note = 'x' RETURNING *`)
  raw(
    'enum, bytes, json',
    `INSERT INTO "Everything" (id, level, bytes, jsonb, "decimal", date, "real", levels, bigint, "money", timetz, "char")
    VALUES (1, 'high level', '\\x00ff', '{"a":1.10}', 1.5, '2026-01-02', 0.1, '{low}', 5, 1.5, '03:04+02', 'c') RETURNING *`,
  )
  raw('key without returning', `DELETE FROM "Tag" WHERE id = $1`, 1)
  raw(
    'parameters',
    `UPDATE "Tag" SET name = $1 WHERE id = $2 RETURNING id, $1::text AS given, $3::int`,
    'x',
    1,
    5,
  )
  raw(
    'a parameter used twice',
    `INSERT INTO "Tag" (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $1 || '!' RETURNING *`,
    'a',
  )
  raw('a list parameter', `DELETE FROM "Tag" WHERE id = ANY ($1) RETURNING id`, [1, 3])
  raw('a json parameter', `INSERT INTO "Everything" (id, jsonb) VALUES (1, $1) RETURNING jsonb`, { a: [1] })
  raw(
    'a date parameter',
    `INSERT INTO "Everything" (id, timestamptz) VALUES (1, $1) RETURNING timestamptz`,
    at,
  )
  raw('a null parameter', `UPDATE users SET name = $1 WHERE id = 1 RETURNING name`, null)

  describe('columns without a name get the one that PostgreSQL gives', () => {
    const expressions = [
      ...[
        'id + 1',
        'upper(name)',
        `'x'`,
        '1',
        'NULL',
        'id::text',
        'id::bigint',
        'CAST(id AS numeric(5,2))',
        'NOT true',
      ],
      ...[
        'name IS NULL',
        'id BETWEEN 1 AND 2',
        'id IN (1, 2)',
        `name LIKE 'a%'`,
        'coalesce(name, $$x$$)',
        '-id',
        'true',
      ],
      ...['CASE WHEN id > 1 THEN 1 ELSE 2 END', 'CASE WHEN id > 1 THEN name ELSE name END', 'nullif(id, 1)'],
      ...[
        'greatest(id, 2)',
        'least(id, 2)',
        'ARRAY[id, 2]',
        '(ARRAY[id, 2])[1]',
        'ROW(id, 2)::text',
        `date '2026-01-02'`,
      ],
      ...['current_user', 'extract(year FROM date $$2026-01-02$$)', `substring(name FROM 1 FOR 1)`],
      ...[
        `position('a' IN name)`,
        `trim(name)`,
        `overlay(name PLACING 'x' FROM 1)`,
        'EXISTS (SELECT 1)',
        '(SELECT 1)',
      ],
      ...[
        '(SELECT 2 AS two)',
        '(SELECT max(id) FROM "Comment")',
        'ARRAY(SELECT 1)',
        'name COLLATE "C"',
        `'{"a":1}'::jsonb -> 'a'`,
      ],
      ...[
        `('{"a":1}'::jsonb)['a']`,
        `jsonb_build_object('a', id)`,
        '1 = ANY (ARRAY[1])',
        'id IS DISTINCT FROM 1',
        `interval '1 day' > interval '1 hour'`,
      ],
      ...[
        '"Tag".name',
        '("Tag").name',
        'public."Tag".id',
        'id AS "we""ird"',
        'id AS "$1"',
        `id "Ünï"`,
        'xmlelement(name foo)::text',
      ],
      ...[
        'tableoid::regclass::text',
        'current_date IS NOT NULL',
        'localtimestamp IS NOT NULL',
        'session_user',
        'char_length(name)',
      ],
      ...[
        `'a' || name`,
        '+id',
        'id IS NOT NULL',
        '(id, name) = (1, $$a$$)',
        `name SIMILAR TO 'a'`,
        'name::varchar(3)',
      ],
      ...[
        'user',
        `name::"char"::text`,
        'id::float8',
        'true IS TRUE',
        `'x'::text IS NORMALIZED`,
        'count(*) FILTER (WHERE true) OVER ()',
      ],
    ]
    for (const expression of expressions) {
      const isError = expression.includes('OVER')
      const sql = `UPDATE "Tag" SET name = upper(name) WHERE id = 1 RETURNING ${expression}`
      same(expression, (db) => db.$queryRawUnsafe(sql), isError ? 'P2010' : undefined)
    }
    raw(
      'all of them at once',
      `INSERT INTO "Tag" (name) VALUES ('x') RETURNING ${expressions.filter((one) => !one.includes('OVER')).join(', ')}`,
    )
  })

  raw('a whole row', `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING "Tag"`)
  raw(
    'a whole row by an alias',
    `UPDATE "Tag" AS t SET name = 'x' WHERE id = 1 RETURNING t, t AS "again", (t).name`,
  )
  raw(
    'system columns',
    `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING tableoid::regclass::text, xmax::text <> '', ctid::text <> ''`,
  )
  raw(
    'several columns of one name',
    `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING id, id, name AS id, name, upper(name), upper('a')`,
  )
  raw('several columns of one name', `INSERT INTO "Tag" (name) VALUES ('x') RETURNING *, *`)
  raw(
    'upsert, which of the two',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('z') ON CONFLICT (name) DO UPDATE SET name = excluded.name || '!'
    RETURNING id, name, (xmax = 0) AS inserted`,
  )
  raw(
    'upsert by constraint',
    `INSERT INTO "Country" VALUES ('CH', 'x', 1) ON CONFLICT ON CONSTRAINT "Country_pkey" DO UPDATE SET name = excluded.name RETURNING *`,
  )
  raw(
    'upsert with a condition',
    `INSERT INTO "Country" VALUES ('CH', 'x', 1) ON CONFLICT (code) DO UPDATE SET name = 'y' WHERE "Country".name = 'other' RETURNING *`,
  )
  raw(
    'upsert of nothing',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('q') ON CONFLICT DO NOTHING RETURNING name`,
  )
  raw(
    'upsert from a query',
    `INSERT INTO "Tag" (name) SELECT name FROM "Tag" ON CONFLICT (name) DO UPDATE SET name = excluded.name || '?' RETURNING id, name`,
  )
  raw(
    'upsert with an alias',
    `INSERT INTO "Tag" AS t (name) VALUES ('a') ON CONFLICT (name) DO UPDATE SET name = t.name || excluded.name RETURNING t.id, t.name`,
  )
  raw(
    'insert from a query',
    `INSERT INTO "Tag" (name) SELECT email FROM users ORDER BY id RETURNING id, name`,
  )
  raw('insert of defaults', `INSERT INTO "Stamped" DEFAULT VALUES RETURNING *`)
  raw(
    'insert with OVERRIDING',
    `INSERT INTO "Tag" (id, name) OVERRIDING USER VALUE VALUES (70, 'x') RETURNING *`,
  )
  raw(
    'with',
    `WITH x AS (SELECT 1 AS id) UPDATE "Tag" AS t SET name = 'x' FROM x WHERE t.id = x.id RETURNING t.id, x.id AS other`,
  )
  raw(
    'with recursive',
    `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3) INSERT INTO "Tag" (name) SELECT 'n' || n FROM n RETURNING name`,
  )
  raw(
    'with, called like a keyword',
    `WITH update AS (SELECT 1 AS id) UPDATE "Tag" AS t SET name = 'x' FROM update WHERE t.id = update.id RETURNING t.id`,
  )
  raw(
    'with, called like a keyword',
    `WITH delete AS (SELECT 1 AS id) DELETE FROM "Tag" AS t USING delete WHERE t.id = delete.id RETURNING t.id`,
  )
  raw(
    'with, called like a keyword',
    `WITH insert AS (SELECT 'q' AS name) INSERT INTO "Tag" (name) SELECT name FROM insert RETURNING name`,
  )
  raw(
    'update from another table',
    `UPDATE "Post" AS p SET title = u.email FROM users AS u WHERE u.id = p."authorId" RETURNING p.id, u.name, p.title`,
  )
  raw(
    'update from another table, all of both',
    `UPDATE "Post" AS p SET title = u.email FROM users AS u WHERE u.id = p."authorId" AND p.id = 'p1' RETURNING *`,
  )
  raw(
    'update from another table, all of the other',
    `UPDATE "Post" AS p SET title = 'x' FROM users AS u WHERE u.id = p."authorId" AND p.id = 'p1' RETURNING u.*`,
  )
  raw('update of several columns', `UPDATE "Post" SET (title, views) = ('x', 3) WHERE id = 'p1' RETURNING *`)
  raw(
    'update from a subquery',
    `UPDATE "Post" SET (title, views) = (SELECT email, 7 FROM users WHERE id = 1) WHERE id = 'p1' RETURNING *`,
  )
  raw(
    'update of an element',
    `INSERT INTO "Everything" (id, integers) VALUES (1, '{1,2,3}') RETURNING integers[2:3]`,
  )
  raw('update of the key', `UPDATE "Warehouse" SET code = 'BE' RETURNING code`)
  raw('update with a trigger', `UPDATE "Stamped" SET counter = counter + 1 RETURNING id, counter`)
  raw('update that a trigger skips', `UPDATE guarded SET note = 'skip' RETURNING *`)
  raw(
    'delete using another table',
    `DELETE FROM "Comment" AS c USING users AS u WHERE u.id = c."userId" RETURNING c.id, u.email`,
  )
  raw(
    'delete using another table, all of both',
    `DELETE FROM "Comment" AS c USING users AS u WHERE u.id = c."userId" RETURNING *`,
  )
  raw('delete that cascades', `DELETE FROM users WHERE id = 1 RETURNING id, (SELECT count(*) FROM "Comment")`)
  raw('only', `UPDATE ONLY "Tag" SET name = name || '!' RETURNING id`)
  raw('star after the table', `DELETE FROM "Tag" * WHERE id = 1 RETURNING id`)
  raw(
    'partitions',
    `INSERT INTO parted VALUES (1, 'a'), (101, 'b') RETURNING id, name, tableoid::regclass::text`,
  )
  raw('a semicolon at the end', `DELETE FROM "Tag" WHERE id = 1 RETURNING id;`)
  raw(
    'comments',
    `/* a */ DELETE /* RETURNING */ FROM "Tag" -- RETURNING name
    WHERE id = 1 /* b */ RETURNING id -- c`,
  )
  raw(
    'words in strings',
    `UPDATE "Tag" SET name = 'FROM x WHERE RETURNING' WHERE name <> 'SET ''a'' WHERE' AND id = 1 RETURNING name`,
  )
  raw('dollar quotes', `UPDATE "Tag" SET name = $a$ RETURNING 'x' $a$ WHERE id = 1 RETURNING name`)
  raw(
    'characters of several bytes',
    `UPDATE "Tag" SET name = 'é🙂' /* 🙂 */ WHERE id = 1 AND name <> '🙂' RETURNING name, 'ü' AS "ö"`,
  )
  raw('lower case and no spaces', `update"Tag"set name='x'where id=1 returning id,name`)
  raw('without a schema and with', `UPDATE public."Tag" SET name = 'x' WHERE "Tag".id = 1 RETURNING "Tag".id`)
  raw(
    'is distinct from',
    `UPDATE "Tag" SET name = 'x' WHERE name IS DISTINCT FROM 'b' AND id = 1 RETURNING id`,
  )
  raw(
    'a subquery with the same words',
    `DELETE FROM "Tag" WHERE id IN (SELECT t.id FROM "Tag" AS t WHERE t.name = 'a' FOR UPDATE) RETURNING id`,
  )
  raw(
    'aliases that are keywords',
    `UPDATE "Tag" AS old SET name = 'x' WHERE old.id = 1 RETURNING old.id, old.name`,
  )
  raw(
    'aliases that are keywords',
    `UPDATE "Tag" AS new SET name = 'x' FROM users AS old WHERE old.id = new.id AND new.id = 1 RETURNING new.id, old.email`,
  )
  raw('through a view', `UPDATE tags SET name = 'x' WHERE id = 1 RETURNING *`)
  raw('a function that writes', `SELECT add_tag('new')`)
  raw('a writing with clause', `WITH x AS (DELETE FROM "Tag" WHERE id = 3 RETURNING name) SELECT * FROM x`)
  raw(
    'a writing with clause',
    `WITH x AS (DELETE FROM "Comment" RETURNING id) INSERT INTO "Tag" (name) SELECT 'c' || id FROM x WHERE id = 1 RETURNING name`,
  )
  raw('explain', `EXPLAIN (COSTS OFF) DELETE FROM "Tag"`)
  raw('a table of its own', `CREATE TABLE made AS SELECT 1 AS a`)
  raw('and away', `DROP TABLE IF EXISTS made`)
  raw('values', `VALUES (1, 'a')`)
  raw('show', `SHOW standard_conforming_strings`)
  raw('a comment alone', `-- nothing`)
  if (version >= 15) {
    raw(
      'merge',
      `MERGE INTO "Tag" AS t USING (VALUES ('a')) AS v(name) ON v.name = t.name WHEN MATCHED THEN UPDATE SET name = 'm'`,
    )
  }
  if (version >= 18) {
    raw(
      'old and new',
      `UPDATE "Tag" SET name = name || '!' WHERE id = 1 RETURNING old.name AS was, new.name AS is, id`,
    )
    raw('old and new', `UPDATE "Tag" SET name = name || '!' WHERE id = 1 RETURNING old.*, new.*`)
    raw(
      'old and new, renamed',
      `UPDATE "Tag" SET name = name || '!' WHERE id = 1 RETURNING WITH (OLD AS o, NEW AS n) o.name, n.name AS now, o.id + n.id`,
    )
    raw('old, renamed', `DELETE FROM "Tag" WHERE id = 1 RETURNING WITH (OLD AS n) n.*`)
    raw(
      'new of an insert, renamed',
      `INSERT INTO "Tag" (name) VALUES ('q') RETURNING WITH (NEW AS n) n.*, n.name AS again`,
    )
    raw(
      'old and new of an upsert',
      `INSERT INTO "Tag" (name) VALUES ('a'), ('z') ON CONFLICT (name) DO UPDATE SET name = 'A' RETURNING old.name AS was, new.name AS is`,
    )
    raw(
      'old and new with a trigger',
      `INSERT INTO "Stamped" VALUES (1, 1) RETURNING old.id AS was, new.id AS is`,
    )
    raw('old beside a trigger', `UPDATE guarded SET note = 'x' RETURNING old.note AS was, new.note AS is`)
  }
})

describe('raw commands give the same count', () => {
  const execute = (name: string, sql: string, ...values: unknown[]) =>
    same(`${name}: ${sql.slice(0, 100)}`, (db) => db.$executeRawUnsafe(sql, ...values))

  execute('insert', `INSERT INTO "Tag" (name) VALUES ('x'), ('y')`)
  execute('insert', `INSERT INTO "Tag" (name) VALUES ('a'), ('y') ON CONFLICT DO NOTHING`)
  execute('insert with returning', `INSERT INTO "Tag" (name) VALUES ('x'), ('y') RETURNING id`)
  execute(
    'upsert',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('y') ON CONFLICT (name) DO UPDATE SET name = excluded.name`,
  )
  execute(
    'upsert with a condition',
    `INSERT INTO "Tag" (name) VALUES ('a'), ('y') ON CONFLICT (name) DO UPDATE SET name = 'x' WHERE false`,
  )
  execute('update', `UPDATE "Tag" SET name = name`)
  execute('update of nothing', `UPDATE "Tag" SET name = 'x' WHERE false`)
  execute('update with parameters', `UPDATE "Tag" SET name = $2 WHERE id = $1`, 1, 'x')
  execute('update of a key', `UPDATE "Warehouse" SET code = 'BE'`)
  execute('update on a table with a trigger', `UPDATE guarded SET note = 'x'`)
  execute('update that a trigger skips', `UPDATE guarded SET note = 'skip'`)
  execute(
    'update of joined rows',
    `UPDATE users SET name = $$x$$ FROM "Comment" AS c WHERE c."userId" = users.id OR users.id = 1`,
  )
  execute('update of partitions', `UPDATE parted SET name = 'x'`)
  execute('delete', `DELETE FROM "Tag"`)
  execute('delete that cascades', `DELETE FROM users WHERE id IN (1, 2)`)
  execute('delete of links', `DELETE FROM "_PostToTag"`)
  execute('select', `SELECT 1`)
  execute('several statements', `DELETE FROM "Tag" WHERE id = 1; DELETE FROM "Comment"`)
  execute('several statements, a read first', `SELECT 1; DELETE FROM "Comment"`)
  execute('truncate', `TRUNCATE "Reading"`)
  execute('do', `DO $$ BEGIN INSERT INTO "Tag" (name) VALUES ('do'); END $$`)
  execute('set', `SET LOCAL statement_timeout = 1000`)
  execute('create', `CREATE TABLE IF NOT EXISTS made2 (a int)`)
  execute('create index concurrently', `CREATE INDEX CONCURRENTLY made_index ON made2 (a)`)
  execute('vacuum', `VACUUM made2`)
  execute('drop', `DROP TABLE made2`)
  execute('copy', `COPY "Reading" TO PROGRAM 'cat > /dev/null'`)
  same('a tagged template', (db) => db.$executeRaw`UPDATE "Tag" SET name = ${'x'} WHERE id = ${1}`)
  same(
    'joined values',
    (db) => db.$queryRaw`DELETE FROM "Tag" WHERE id IN (${Prisma.join([1, 2])}) RETURNING id, name`,
  )
  same('raw parts', (db) =>
    db.$queryRaw(Prisma.sql`UPDATE ${Prisma.raw('"Tag"')} SET name = ${'z'} WHERE id = ${1} RETURNING name`),
  )
  same(
    'typed values',
    (db) => db.$queryRaw`
    INSERT INTO "Everything" (id, bigint, "decimal", timestamp, bytes, texts, boolean, jsonb)
    VALUES (${1n}, ${2n ** 60n}, ${new Prisma.Decimal('1.5')}, ${at}, ${new Uint8Array([1, 2])}, ${['a', 'b']}, ${true}, ${'{"a":1}'}::jsonb)
    RETURNING id, bigint, "decimal", timestamp, bytes, texts, boolean, jsonb`,
  )
})

describe('raw errors are the same', () => {
  const fails = (name: string, sql: string, ...values: unknown[]) => {
    sameError('P2010', name, (db) => db.$executeRawUnsafe(sql, ...values))
    sameError('P2010', `${name}, by $queryRaw`, (db) => db.$queryRawUnsafe(sql, ...values))
  }
  fails('syntax', `UPDAT "Tag" SET name = 1`)
  fails('syntax further on', `UPDATE "Tag" SET name = 'x' WHERE`)
  fails('undefined table', `UPDATE nowhere SET a = 1`)
  fails('undefined column', `UPDATE "Tag" SET nome = 'x'`)
  fails('undefined column in RETURNING', `UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING nome`)
  fails('undefined function', `UPDATE "Tag" SET name = nothing(name)`)
  fails('ambiguous column', `UPDATE "Post" SET title = 'x' FROM users WHERE id = 'p1'`)
  fails(
    'ambiguous column in RETURNING',
    `UPDATE "Post" SET title = 'x' FROM users WHERE users.id = 1 RETURNING id`,
  )
  fails('missing FROM', `UPDATE "Post" SET title = users.name`)
  fails('the table by its name beside an alias', `UPDATE "Tag" AS t SET name = "Tag".name`)
  fails('a type that does not fit', `UPDATE "Tag" SET id = 'x'`)
  fails('a type that does not fit, at run time', `UPDATE "Tag" SET id = name::int`)
  fails('division by zero', `UPDATE "Tag" SET id = id / (id - id)`)
  fails('duplicate key', `INSERT INTO "Tag" (name) VALUES ('a')`)
  fails('duplicate key by update', `UPDATE "Tag" SET name = 'same'`)
  fails('foreign key', `UPDATE "Post" SET "authorId" = 99`)
  fails('foreign key of a deleted row', `DELETE FROM "Warehouse"`)
  fails('not null', `UPDATE "Tag" SET name = NULL`)
  fails('check', `UPDATE "Tag" SET name = repeat('x', 200)`)
  fails('exclusion', `INSERT INTO booking VALUES (1, '[1,3)'), (2, '[2,4)')`)
  fails('deferred constraint', `INSERT INTO late VALUES (1, 99)`)
  fails('a trigger that refuses an update', `UPDATE guarded SET note = 'refuse'`)
  fails('a trigger that refuses an insert', `INSERT INTO guarded VALUES (5, 'refuse')`)
  fails('too long', `INSERT INTO "Everything" (varchar) VALUES (repeat('x', 51))`)
  fails('out of range', `UPDATE "Tag" SET id = 2147483647 + id`)
  fails('a column twice', `UPDATE "Tag" SET name = 'x', name = 'y'`)
  fails(
    'a row twice',
    `INSERT INTO "Tag" (name) VALUES ('z'), ('z') ON CONFLICT (name) DO UPDATE SET name = 'q'`,
  )
  fails(
    'no such constraint',
    `INSERT INTO "Tag" (name) VALUES ('z') ON CONFLICT (id, name) DO UPDATE SET name = 'q'`,
  )
  fails('too few parameters', `UPDATE "Tag" SET name = $1 WHERE id = $2`, 'x')
  fails('too many parameters', `UPDATE "Tag" SET name = 'x' WHERE id = $1`, 1, 2)
  fails('a parameter of no known type', `INSERT INTO "Tag" (name) SELECT 'x' WHERE $1 IS NULL`, null)
  fails('a generated column', `UPDATE "AuditLog" SET id = 1`)
  fails('an aggregate where none may be', `UPDATE "Tag" SET id = max(id)`)
  fails('no partition', `INSERT INTO parted VALUES (500, 'x')`)
  fails('INSERT has more expressions', `INSERT INTO "Tag" (name) VALUES ('x', 'y')`)
  sameError(
    'P2010',
    'a type the adapter can’t read',
    (db) => db.$queryRaw`INSERT INTO "Tag" (name) VALUES ('x') RETURNING ROW(1, 2)`,
  )
  sameError(
    'P2010',
    'another type the adapter can’t read',
    (db) => db.$queryRaw`UPDATE "Tag" SET name = 'x' WHERE id = 1 RETURNING "char" 'x'`,
  )

  it('several statements by $queryRaw: Prisma can’t read the answer, and under audit nothing is kept', async () => {
    const work = (db: PrismaClient) => db.$queryRawUnsafe(`DELETE FROM "Tag"; DELETE FROM "Comment"`)
    const expected = await outcome(() => work(plain))
    expect(expected).toHaveProperty('error')
    expect(await outcome(() => work(audited as unknown as PrismaClient))).toEqual(expected)
    expect(await auditedDb.sql('SELECT count(*)::int AS n FROM "Tag"')).toEqual([{ n: 3 }])
  })
})
