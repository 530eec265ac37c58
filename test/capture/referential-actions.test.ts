import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { untilWaiting } from '../support/locks.ts'
import { expectEntriesToMatchOracle, markOracle } from '../support/oracle.ts'
import { at, user } from '../support/users.ts'
import { briefSorted, createAudited, recorder } from './audited.ts'
import { createLogged } from './statement-log.ts'

// Tables that no model knows, with the actions that Prisma's schema language can't say.
const { db, prisma, recordedBy, empty } = await createAudited({
  setUp: `
    CREATE TABLE memo (id int PRIMARY KEY, country char(2) REFERENCES "Country" ON DELETE CASCADE, text text);
    CREATE TABLE memo_line (memo int REFERENCES memo ON DELETE CASCADE, text text); -- no key
    CREATE TABLE node (code text PRIMARY KEY, touched boolean,
      parent text DEFAULT 'root' REFERENCES node ON UPDATE CASCADE ON DELETE SET DEFAULT);
    CREATE TABLE marked (id int PRIMARY KEY, tag int REFERENCES "Tag" ON DELETE SET NULL,
      is_tagged boolean GENERATED ALWAYS AS (tag IS NOT NULL) STORED);
    CREATE TABLE parent (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));
    CREATE TABLE kept (id int PRIMARY KEY, a int, b int,
      FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE SET NULL ON UPDATE SET NULL);
    CREATE TABLE moved (id int PRIMARY KEY, a int DEFAULT 1, b int DEFAULT 1,
      FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
    CREATE TABLE middle (id int PRIMARY KEY, parent int UNIQUE REFERENCES parent ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE leaf (id int PRIMARY KEY, middle int REFERENCES middle (parent) ON UPDATE CASCADE);
    CREATE TABLE many (LIKE "Everything" INCLUDING ALL, status text REFERENCES "Status" ON DELETE SET NULL ON UPDATE CASCADE);
  `,
})

beforeEach(empty)

describe('ON DELETE CASCADE', () => {
  it('records the rows that go, each as its own deletion, with its cause', async () => {
    await prisma.user.create({ data: { ...user(1), profile: { create: { id: 'f1', bio: 'b' } } } })
    const entries = await recordedBy(() => prisma.user.delete({ where: { id: 1 } }))
    expect(briefSorted(entries)).toEqual(['profile.delete f1 because user.delete', 'user.delete 1'])
    expect(entries.find(({ action }) => action === 'profile.delete')).toEqual({
      action: 'profile.delete',
      id: 'f1',
      operation: 'delete',
      cause: 'user.delete',
      before: { id: 'f1', bio: 'b', userId: 1 },
    })
    expect(entries.find(({ action }) => action === 'user.delete')).not.toHaveProperty('cause')
  })

  it('goes as deep as a tree is, and names the deletion that set it off', async () => {
    await db.sql(`INSERT INTO "Category" (id, name, "parentId")
      SELECT n, 'c' || n, nullif(n / 2, 0) FROM generate_series(1, 40) AS n`)
    const entries = await recordedBy(() => prisma.category.delete({ where: { id: 2 } }))
    const inTree = [2, 4, 5, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 32, 33, 34, 35, 36, 37, 38, 39, 40]
    expect(briefSorted(entries)).toEqual(
      inTree
        .map((id) => (id === 2 ? 'category.delete 2' : `category.delete ${id} because category.delete`))
        .sort(),
    )
  })

  it('follows a chain of a hundred', async () => {
    await db.sql(`INSERT INTO "Category" (id, name, "parentId")
      SELECT n, 'c' || n, nullif(n - 1, 0) FROM generate_series(1, 100) AS n`)
    expect(await recordedBy(() => prisma.category.delete({ where: { id: 1 } }))).toHaveLength(100)
  })

  it('records a row once that the statement deletes itself and would reach as well', async () => {
    await db.sql(
      `INSERT INTO "Category" (id, name, "parentId") VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 2)`,
    )
    const entries = await recordedBy(() => prisma.category.deleteMany({ where: { id: { in: [1, 2] } } }))
    expect(briefSorted(entries)).toEqual([
      'category.delete 1',
      'category.delete 2',
      'category.delete 3 because category.delete',
    ])
  })

  it('records a row once that several paths reach', async () => {
    const org = await prisma.org.create({
      data: { name: 'o', teams: { create: [{}, {}] }, projects: { create: {} } },
      include: { teams: true, projects: true },
    })
    const [owner, lead] = org.teams.map(({ id }) => id)
    const projectId = org.projects[0]?.id ?? 0
    const base = { teamId: owner ?? 0, leadId: lead ?? 0 }
    await prisma.task.create({ data: { title: 't', ...base, projectId } })
    const entries = await recordedBy(() => prisma.org.delete({ where: { id: org.id } }))
    expect(briefSorted(entries)).toEqual([
      'org.delete 1',
      'project.delete 1 because org.delete',
      'task.delete 1 because org.delete',
      'team.delete 1 because org.delete',
      'team.delete 2 because org.delete',
    ])
    // as it was before any of the actions touched it
    expect(entries.find(({ action }) => action === 'task.delete')?.before).toEqual({
      id: 1,
      title: 't',
      teamId: owner,
      leadId: lead,
      projectId,
    })
  })

  it('goes around in a cycle, and records each row once', async () => {
    await db.sql(`
      INSERT INTO "Chicken" (id, "eggId") VALUES (1, NULL), (2, NULL);
      INSERT INTO "Egg" (id, "chickenId") VALUES (1, 1), (2, 2);
      UPDATE "Chicken" SET "eggId" = 3 - id;`)
    const entries = await recordedBy(() => prisma.chicken.delete({ where: { id: 1 } }))
    expect(briefSorted(entries)).toEqual([
      'chicken.delete 1',
      'chicken.delete 2 because chicken.delete',
      'egg.delete 1 because chicken.delete',
      'egg.delete 2 because chicken.delete',
    ])
  })

  it('of a row that refers to itself records it once', async () => {
    await db.sql(`INSERT INTO "Category" (id, name, "parentId") VALUES (1, 'a', 1)`)
    expect(briefSorted(await recordedBy(() => prisma.category.delete({ where: { id: 1 } })))).toEqual([
      'category.delete 1',
    ])
  })

  it('reaches tables that have no model, under the name of the table, and rows that have no key', async () => {
    await db.sql(`
      INSERT INTO "Country" VALUES ('CH', 'Swiss', 0);
      INSERT INTO memo VALUES (1, 'CH', 'm'), (2, 'CH', NULL);
      INSERT INTO memo_line VALUES (1, 'same'), (1, 'same'), (2, 'other')`)
    const entries = await recordedBy(() => prisma.country.delete({ where: { code: 'CH' } }))
    expect(briefSorted(entries)).toEqual([
      'country.delete CH',
      'memo.delete 1 because country.delete',
      'memo.delete 2 because country.delete',
      'memo_line.delete (no id) because country.delete',
      'memo_line.delete (no id) because country.delete',
      'memo_line.delete (no id) because country.delete',
    ])
  })

  it('of many parents at once', async () => {
    await db.sql(`
      INSERT INTO users (id, email, updated_at) SELECT n, n || '@x', now() FROM generate_series(1, 50) n;
      INSERT INTO "Profile" (id, bio, "userId") SELECT n, 'b', n FROM generate_series(1, 50) n`)
    const entries = await recordedBy(() => prisma.user.deleteMany({ where: { id: { gt: 10 } } }))
    expect(entries.filter(({ action }) => action === 'user.delete')).toHaveLength(40)
    expect(entries.filter(({ action }) => action === 'profile.delete')).toHaveLength(40)
  })

  it('records nothing when the deletion is refused', async () => {
    await db.sql(`
      INSERT INTO "Warehouse" VALUES ('ZH', 'Zürich');
      INSERT INTO "Shelf" VALUES ('ZH', 1, NULL);
      INSERT INTO "Box" VALUES (1, 'ZH', 1, 'x')`)
    const entries = await recordedBy(() => prisma.warehouse.delete({ where: { code: 'ZH' } }).catch(() => {}))
    expect(briefSorted(entries).filter((line) => /^(warehouse|shelf|box)\.delete .+/.test(line))).toEqual([])
    expect(await db.sql('SELECT count(*)::int AS n FROM "Shelf"')).toEqual([{ n: 1 }])
  })
})

describe('ON DELETE SET NULL', () => {
  it('is recorded as an update of the child', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    const entries = await recordedBy(() => prisma.user.delete({ where: { id: 1 } }))
    expect(entries.find(({ action }) => action === 'post.update')).toEqual({
      action: 'post.update',
      id: 'p1',
      operation: 'delete',
      cause: 'user.delete',
      before: { id: 'p1', title: 'one', views: 0, authorId: 1, reviewerId: null },
      after: { id: 'p1', title: 'one', views: 0, authorId: null, reviewerId: null },
      changed: ['authorId'],
    })
  })

  it('by two foreign keys of one row is one entry', async () => {
    await prisma.user.create({ data: user(1) })
    await prisma.post.create({ data: { id: 'p1', title: 'one', authorId: 1, reviewerId: 1 } })
    const entries = await recordedBy(() => prisma.user.delete({ where: { id: 1 } }))
    expect(briefSorted(entries)).toEqual([
      'post.update p1 [authorId, reviewerId] because user.delete',
      'user.delete 1',
    ])
  })

  it('by two parents that go in one statement is one entry', async () => {
    await prisma.user.createMany({ data: [user(1), user(2)] })
    await prisma.post.create({ data: { id: 'p1', title: 'one', authorId: 1, reviewerId: 2 } })
    const entries = await recordedBy(() => prisma.user.deleteMany())
    expect(briefSorted(entries)).toEqual([
      'post.update p1 [authorId, reviewerId] because user.delete',
      'user.delete 1',
      'user.delete 2',
    ])
  })

  it('in the table itself', async () => {
    await prisma.user.createMany({ data: [user(1), user(2, { managerId: 1 }), user(3, { managerId: 2 })] })
    const entries = await recordedBy(() => prisma.user.delete({ where: { id: 1 } }))
    expect(briefSorted(entries)).toEqual(['user.delete 1', 'user.update 2 [managerId] because user.delete'])
    const both = await recordedBy(() => prisma.user.deleteMany({ where: { id: { in: [2, 3] } } }))
    expect(briefSorted(both)).toEqual(['user.delete 2', 'user.delete 3'])
  })

  it('of a composite foreign key sets all of it, also where it was null in part before', async () => {
    await db.sql(`
      INSERT INTO parent VALUES (1, 1, 1), (2, 2, 2);
      INSERT INTO kept VALUES (1, 1, 1), (2, 1, NULL), (3, 2, 2)`)
    const entries = await recordedBy(() => prisma.$executeRaw`DELETE FROM parent WHERE id = 1`)
    expect(briefSorted(entries)).toEqual(['kept.update 1 [a, b] because parent.delete', 'parent.delete 1'])
  })

  it('sets off ON UPDATE further down', async () => {
    await db.sql(`
      INSERT INTO parent VALUES (1, 1, 1);
      INSERT INTO middle VALUES (1, 1);
      INSERT INTO leaf VALUES (1, 1)`)
    const entries = await recordedBy(() => prisma.$executeRaw`DELETE FROM parent`)
    expect(briefSorted(entries)).toEqual([
      'leaf.update 1 [middle] because parent.delete',
      'middle.update 1 [parent] because parent.delete',
      'parent.delete 1',
    ])
  })

  it('records what a generated column became', async () => {
    await prisma.tag.create({ data: { name: 't' } })
    await db.sql(`INSERT INTO marked (id, tag) VALUES (1, 1)`)
    const entries = await recordedBy(() => prisma.tag.delete({ where: { id: 1 } }))
    expect(entries.find(({ action }) => action === 'marked.update')).toMatchObject({
      before: { tag: 1, is_tagged: true },
      after: { tag: null, is_tagged: false },
      changed: ['tag', 'is_tagged'],
    })
  })

  // The after-state can't be told before a BEFORE UPDATE trigger of the child has run.
  it('records what a BEFORE UPDATE trigger of the child made of it', async () => {
    await prisma.stamped.create({ data: { meters: { create: [{}, {}] } } })
    const entries = await recordedBy(() => prisma.stamped.delete({ where: { id: 1 } }))
    expect(briefSorted(entries)).toEqual([
      'meter.update 1 [revision, stampedId] because stamped.delete',
      'meter.update 2 [revision, stampedId] because stamped.delete',
      'stamped.delete 1',
    ])
    expect(entries.find(({ action }) => action === 'meter.update')).toMatchObject({
      before: { revision: 0, stampedId: 1 },
      after: { revision: 1, stampedId: null },
    })
  })

  it('keeps every value of the child as it is, whatever its type', async () => {
    await prisma.status.create({ data: { code: 's' } })
    await db.sql(`
      INSERT INTO many (id, boolean, smallint, integer, bigint, "real", double, "decimal", "numeric", "money", text, varchar,
        "char", citext, uuid, inet, bit, xml, level, "timestamp", timestamp6, timestamptz, date, time, timetz, json, jsonb,
        bytes, integers, bigints, decimals, texts, levels, timestamps, dates, jsons, blobs, uuids, status)
      VALUES (1, true, 1, 2, 9223372036854775807, 'NaN', '-Infinity', 'NaN', 1.5, 12.5, E'a"\\\\\\n', 'v', 'c', 'CiText',
        gen_random_uuid(), '10.0.0.1/8', B'101', '<a b="c"/>', 'high level', 'infinity', '2026-01-02 03:04:05.000006',
        '2026-01-02 03:04:05.000006+02', '-infinity', '24:00:00', '03:04:05.5-08:30', '{"b": 1, "a":  1.10}', '[1.10, null]',
        '\\x00ff', '{1,NULL}', '{9223372036854775807}', '{1.10,NaN}', '{"a,b",NULL,""}', '{"high level"}',
        '{infinity,"2026-01-02 03:04:05.678"}', '{2026-01-02}', ARRAY['{"a":1.10}', 'null']::jsonb[], ARRAY['\\x00ff'::bytea],
        ARRAY[gen_random_uuid()], 's')`)
    const moved = await recordedBy(() => prisma.status.update({ where: { code: 's' }, data: { code: 't' } }))
    expect(briefSorted(moved)).toEqual([
      'many.update 1 [status] because status.update',
      'status.update s [code]',
    ])
    const cut = await recordedBy(() => prisma.status.delete({ where: { code: 't' } }))
    expect(briefSorted(cut)).toEqual(['many.update 1 [status] because status.delete', 'status.delete t'])
  })
})

describe('ON DELETE SET DEFAULT', () => {
  it('is recorded as an update of the child, to the default', async () => {
    await prisma.status.createMany({ data: [{ code: 'open' }, { code: 'done' }] })
    await prisma.ticket.create({ data: { title: 't', statusCode: 'done' } })
    const entries = await recordedBy(() => prisma.status.delete({ where: { code: 'done' } }))
    expect(briefSorted(entries)).toEqual([
      'status.delete done',
      'ticket.update 1 [statusCode] because status.delete',
    ])
    expect(entries.find(({ action }) => action === 'ticket.update')).toMatchObject({
      before: { id: 1, title: 't', statusCode: 'done' },
      after: { id: 1, title: 't', statusCode: 'open' },
    })
  })

  it('of a composite foreign key, and in the table itself', async () => {
    await db.sql(`
      INSERT INTO parent VALUES (1, 1, 1), (2, 2, 2), (3, 1, 2);
      INSERT INTO moved VALUES (1, 2, 2), (2, 1, 2);
      INSERT INTO node VALUES ('root', NULL, NULL), ('a', NULL, 'root'), ('b', NULL, 'a')`)
    const entries = await recordedBy(() => prisma.$executeRaw`DELETE FROM parent WHERE id > 1`)
    expect(briefSorted(entries)).toEqual([
      'moved.update 1 [a, b] because parent.delete',
      'moved.update 2 [b] because parent.delete',
      'parent.delete 2',
      'parent.delete 3',
    ])
    const nodes = await recordedBy(() => prisma.$executeRaw`DELETE FROM node WHERE code = 'a'`)
    expect(briefSorted(nodes)).toEqual(['node.delete a', 'node.update b [parent] because node.delete'])
  })
})

describe('ON UPDATE CASCADE', () => {
  it('follows a key down two levels, each row under its old key', async () => {
    await prisma.warehouse.create({
      data: { code: 'ZH', city: 'Zürich', shelves: { create: [{ number: 1 }, { number: 2, label: 'l' }] } },
    })
    await prisma.box.createMany({
      data: [1, 2].map((shelfNumber) => ({ warehouseCode: 'ZH', shelfNumber, content: 'x' })),
    })
    const entries = await recordedBy(() =>
      prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'BE', city: 'Bern' } }),
    )
    expect(briefSorted(entries)).toEqual([
      'box.update 1 [warehouseCode] because warehouse.update',
      'box.update 2 [warehouseCode] because warehouse.update',
      'shelf.update ["ZH","1"] [warehouseCode] because warehouse.update',
      'shelf.update ["ZH","2"] [warehouseCode] because warehouse.update',
      'warehouse.update ZH [code, city]',
    ])
    expect(entries.find(({ id }) => id === '["ZH","2"]')).toMatchObject({
      before: { warehouseCode: 'ZH', number: 2, label: 'l' },
      after: { warehouseCode: 'BE', number: 2, label: 'l' },
    })
  })

  it('from the middle, with part of a composite key', async () => {
    await prisma.warehouse.create({
      data: { code: 'ZH', city: 'Zürich', shelves: { create: [{ number: 1 }] } },
    })
    await prisma.box.create({ data: { warehouseCode: 'ZH', shelfNumber: 1, content: 'x' } })
    const entries = await recordedBy(() =>
      prisma.shelf.update({
        where: { warehouseCode_number: { warehouseCode: 'ZH', number: 1 } },
        data: { number: 9 },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'box.update 1 [shelfNumber] because shelf.update',
      'shelf.update ["ZH","1"] [number]',
    ])
  })

  it('does not happen when the key stays the same', async () => {
    await prisma.warehouse.create({
      data: { code: 'ZH', city: 'Zürich', shelves: { create: { number: 1 } } },
    })
    const entries = await recordedBy(async () => {
      await prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'ZH', city: 'Z' } })
      await prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'ZH' } })
    })
    expect(briefSorted(entries)).toEqual(['warehouse.update ZH [city]'])
  })

  it('by an upsert', async () => {
    await prisma.warehouse.create({
      data: { code: 'ZH', city: 'Zürich', shelves: { create: { number: 1 } } },
    })
    const entries = await recordedBy(() =>
      prisma.warehouse.upsert({
        where: { code: 'ZH' },
        create: { code: 'ZH', city: 'x' },
        update: { code: 'BE' },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'shelf.update ["ZH","1"] [warehouseCode] because warehouse.update',
      'warehouse.update ZH [code]',
    ])
  })

  it('of many rows at once, each by its own new key', async () => {
    await db.sql(`
      INSERT INTO "Warehouse" SELECT 'W' || n, 'c' FROM generate_series(1, 5) n;
      INSERT INTO "Shelf" SELECT 'W' || n, n, NULL FROM generate_series(1, 5) n;
      INSERT INTO "Box" SELECT n, 'W' || n, n, 'x' FROM generate_series(1, 5) n`)
    const entries = await recordedBy(
      () => prisma.$executeRaw`UPDATE "Warehouse" SET code = code || 'x' WHERE code > 'W2'`,
    )
    expect(briefSorted(entries)).toEqual([
      ...[3, 4, 5].map((n) => `box.update ${n} [warehouseCode] because warehouse.update`),
      ...[3, 4, 5].map((n) => `shelf.update ["W${n}","${n}"] [warehouseCode] because warehouse.update`),
      ...[3, 4, 5].map((n) => `warehouse.update W${n} [code]`),
    ])
  })

  it('into everything that refers to a user', async () => {
    await db.sql(`
      INSERT INTO users (id, email, updated_at, manager_id) VALUES (1, 'a', now(), NULL), (2, 'b', now(), 1);
      INSERT INTO "Profile" VALUES ('f1', 'b', 1);
      INSERT INTO "Post" VALUES ('p1', 'one', 0, 1, 1);
      INSERT INTO "Comment" VALUES (1, 'c', 'p1', 1);
      INSERT INTO _friendship VALUES (1, 2), (2, 1), (1, 1)`)
    const entries = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { id: 100, updatedAt: at } }),
    )
    expect(briefSorted(entries).filter((line) => !line.includes('connect'))).toEqual([
      'comment.update 1 [userId] because user.update',
      'post.update p1 [authorId, reviewerId] because user.update',
      'profile.update f1 [userId] because user.update',
      'user.update 1 [id, updatedAt]',
      'user.update 2 [managerId] because user.update',
    ])
    const moved = [
      ['1', '2', '100', '2'],
      ['2', '1', '2', '100'],
      ['1', '1', '100', '100'],
    ].flatMap(([a, b, newA, newB]) => [
      `user.disconnect ${a} friendOf → user ${b} because user.update`,
      `user.disconnect ${b} friends → user ${a} because user.update`,
      `user.connect ${newA} friendOf → user ${newB} because user.update`,
      `user.connect ${newB} friends → user ${newA} because user.update`,
    ])
    expect(briefSorted(entries).filter((line) => line.includes('connect'))).toEqual(moved.sort())
  })

  it('in the table itself', async () => {
    await db.sql(`INSERT INTO node VALUES ('root', NULL, NULL), ('a', NULL, 'root'), ('b', NULL, 'a')`)
    const entries = await recordedBy(() => prisma.$executeRaw`UPDATE node SET code = 'A' WHERE code = 'a'`)
    expect(briefSorted(entries)).toEqual([
      'node.update a [code]',
      'node.update b [parent] because node.update',
    ])
  })

  it('of a row that refers to itself is one entry, with the row as it came out', async () => {
    await db.sql(`INSERT INTO node VALUES ('a', NULL, 'a')`)
    const entries = await recordedBy(() => prisma.$executeRaw`UPDATE node SET code = 'A'`)
    expect(entries).toEqual([
      {
        action: 'node.update',
        id: 'a',
        operation: '$executeRaw',
        before: { code: 'a', touched: null, parent: 'a' },
        after: { code: 'A', touched: null, parent: 'A' },
        changed: ['code', 'parent'],
      },
    ])
  })

  it('of rows that the statement changes as well is one entry a row, as it came out', async () => {
    await db.sql(`INSERT INTO node VALUES ('a', false, NULL), ('b', false, 'a'), ('c', false, 'b')`)
    const entries = await recordedBy(
      () =>
        prisma.$executeRaw`UPDATE node SET code = CASE code WHEN 'a' THEN 'A' ELSE code END, touched = true`,
    )
    expect(briefSorted(entries)).toEqual([
      'node.update a [code, touched]',
      'node.update b [touched, parent]',
      'node.update c [touched]',
    ])
    const all = await recordedBy(() => prisma.$executeRaw`UPDATE node SET code = lower(code) || 'x'`)
    expect(briefSorted(all)).toEqual([
      'node.update A [code]',
      'node.update b [code, parent]',
      'node.update c [code, parent]',
    ])
  })

  it('sets null or the default on update as well', async () => {
    await db.sql(`
      INSERT INTO parent VALUES (1, 1, 1), (2, 2, 2);
      INSERT INTO kept VALUES (1, 2, 2);
      INSERT INTO moved VALUES (1, 2, 2);
      INSERT INTO middle VALUES (1, 2);
      INSERT INTO leaf VALUES (1, 2)`)
    const entries = await recordedBy(() => prisma.$executeRaw`UPDATE parent SET id = 20, b = 3 WHERE id = 2`)
    expect(briefSorted(entries)).toEqual([
      'kept.update 1 [a, b] because parent.update',
      'leaf.update 1 [middle] because parent.update',
      'middle.update 1 [parent] because parent.update',
      'moved.update 1 [a, b] because parent.update',
      'parent.update 2 [id, b]',
    ])
  })
})

describe('links', () => {
  it('are disconnected on both sides when one side is deleted', async () => {
    await prisma.post.create({
      data: { id: 'p1', title: 'one', tags: { create: [{ name: 'a' }, { name: 'b' }] } },
    })
    const entries = await recordedBy(() => prisma.post.delete({ where: { id: 'p1' } }))
    expect(briefSorted(entries)).toEqual([
      'post.delete p1',
      'post.disconnect p1 tags → tag 1 because post.delete',
      'post.disconnect p1 tags → tag 2 because post.delete',
      'tag.disconnect 1 posts → post p1 because post.delete',
      'tag.disconnect 2 posts → post p1 because post.delete',
    ])
    expect(entries.find(({ action }) => action === 'tag.disconnect')).toEqual({
      action: 'tag.disconnect',
      id: expect.any(String),
      operation: 'delete',
      relation: 'posts',
      target: { type: 'post', id: 'p1' },
      cause: 'post.delete',
    })
  })

  it('are disconnected once a side when both records go in one statement', async () => {
    await prisma.user.createMany({ data: [user(1), user(2)] })
    await db.sql('INSERT INTO _friendship VALUES (1, 2)')
    const entries = await recordedBy(() => prisma.user.deleteMany())
    expect(briefSorted(entries)).toEqual([
      'user.delete 1',
      'user.delete 2',
      'user.disconnect 1 friendOf → user 2 because user.delete',
      'user.disconnect 2 friends → user 1 because user.delete',
    ])
  })

  it('are disconnected and connected anew when a key moves', async () => {
    await prisma.post.create({ data: { id: 'p1', title: 'one', tags: { create: { name: 'a' } } } })
    const entries = await recordedBy(() => prisma.tag.update({ where: { id: 1 }, data: { id: 7 } }))
    expect(briefSorted(entries)).toEqual([
      'post.connect p1 tags → tag 7 because tag.update',
      'post.disconnect p1 tags → tag 1 because tag.update',
      'tag.connect 7 posts → post p1 because tag.update',
      'tag.disconnect 1 posts → post p1 because tag.update',
      'tag.update 1 [id]',
    ])
  })

  it('follow a deletion at depth', async () => {
    await prisma.post.create({
      data: {
        id: 'p1',
        title: 'one',
        comments: { create: [{ text: 'c1' }, { text: 'c2' }] },
        tags: { create: { name: 'a' } },
      },
    })
    const entries = await recordedBy(() => prisma.post.deleteMany())
    expect(briefSorted(entries)).toEqual([
      'comment.delete 1 because post.delete',
      'comment.delete 2 because post.delete',
      'post.delete p1',
      'post.disconnect p1 tags → tag 1 because post.delete',
      'tag.disconnect 1 posts → post p1 because post.delete',
    ])
  })
})

describe('models that are not recorded', () => {
  const client = (models: { include: string[] } | { exclude: string[] }) => {
    const adapter = new PrismaPg({ connectionString: db.url })
    const audited = withAudit(new PrismaClient({ adapter }), { models: models as never })
    afterAll(() => audited.$disconnect())
    return audited
  }
  const withoutUser = client({ exclude: ['User'] })
  const postOnly = client({ include: ['Post'] })

  it('still set off changes that are, and are named as their cause', async () => {
    await db.sql(`
      INSERT INTO users (id, email, updated_at) VALUES (1, 'a', now()), (2, 'b', now());
      INSERT INTO "Profile" VALUES ('f1', 'b', 1);
      INSERT INTO "Post" VALUES ('p1', 'one', 0, 1, 2);
      INSERT INTO _friendship VALUES (1, 2)`)
    const entries = await recorder(db, { untracked: ['User'] })(() =>
      withoutUser.user.deleteMany({ where: { id: 1 } }),
    )
    expect(briefSorted(entries)).toEqual([
      'post.update p1 [authorId] because user.delete',
      'profile.delete f1 because user.delete',
    ])
  })

  it('do not stop the way to what lies below them', async () => {
    await db.sql(`
      INSERT INTO "Org" VALUES (1, 'o'); INSERT INTO "Team" VALUES (1, 1); INSERT INTO "Task" VALUES (1, 't', 1, NULL, NULL)`)
    const onlyTasks = client({ include: ['Task'] })
    const entries = await recorder(db, { untracked: ['Org', 'Team', 'Project'] })(() =>
      onlyTasks.org.delete({ where: { id: 1 } }),
    )
    expect(briefSorted(entries)).toEqual(['task.delete 1 because org.delete'])
  })

  it('have no side of a link in the log', async () => {
    const rest = ['User', 'Comment', 'Tag', 'Profile']
    const entries = await recorder(db, { untracked: rest })(async () => {
      await postOnly.post.create({ data: { id: 'p1', title: 'one', tags: { create: { name: 'a' } } } })
      await postOnly.tag.delete({ where: { id: 1 } })
    })
    expect(briefSorted(entries)).toEqual([
      'post.connect p1 tags → tag 1',
      'post.create p1',
      'post.disconnect p1 tags → tag 1 because tag.delete',
    ])
  })

  it('record nothing when nothing recorded is reached', async () => {
    await db.sql(`INSERT INTO "Status" VALUES ('a'); INSERT INTO "Ticket" VALUES (1, 't', 'a')`)
    const entries = await recorder(db, { untracked: ['Status', 'Ticket', 'many'] })(() =>
      postOnly.status.update({ where: { code: 'a' }, data: { code: 'b' } }),
    )
    expect(entries).toEqual([])
  })
})

describe('other transactions', () => {
  /** Runs `work` while another transaction holds what `sql` did, and commits that once `work` waits for it. */
  async function whileOpen(sql: string, work: () => PromiseLike<unknown>): Promise<void> {
    const other = await db.pool.connect()
    try {
      await other.query('BEGIN')
      await other.query(sql)
      const done = Promise.resolve(work())
      await untilWaiting(db)
      await other.query('COMMIT')
      await done
    } finally {
      other.release()
    }
  }

  it('that add a child meanwhile: the child goes too, and is recorded', async () => {
    await db.sql(`INSERT INTO "Post" VALUES ('p1', 'one', 0)`)
    const since = await markOracle(db)
    await whileOpen(`INSERT INTO "Comment" VALUES (1, 'late', 'p1')`, () =>
      prisma.post.delete({ where: { id: 'p1' } }),
    )
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + 1n })
    expect((await db.changes(since.seq)).map(({ action }) => action).sort()).toEqual([
      'comment.delete',
      'post.delete',
    ])
  })

  it('that add a row two levels below: it goes too, and is recorded', async () => {
    await db.sql(`INSERT INTO "Org" VALUES (1, 'o'); INSERT INTO "Team" VALUES (1, 1)`)
    const since = await markOracle(db)
    await whileOpen(`INSERT INTO "Task" VALUES (1, 'late', 1, NULL, NULL)`, () =>
      prisma.org.delete({ where: { id: 1 } }),
    )
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + 1n })
    expect((await db.changes(since.seq)).map(({ action }) => action).sort()).toEqual([
      'org.delete',
      'task.delete',
      'team.delete',
    ])
  })

  it('that change a child meanwhile: the entry has the child as it was last', async () => {
    await db.sql(`INSERT INTO "Post" VALUES ('p1', 'one', 0); INSERT INTO "Comment" VALUES (1, 'old', 'p1')`)
    const since = await markOracle(db)
    await whileOpen(`UPDATE "Comment" SET text = 'new'`, () => prisma.post.delete({ where: { id: 'p1' } }))
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + 1n })
    const child = (await db.changes(since.seq)).find(({ action }) => action === 'comment.delete')
    expect(child?.details.before.text).toBe('new')
  })

  it('that move a child away meanwhile: it stays, and is not recorded', async () => {
    await db.sql(`
      INSERT INTO "Post" VALUES ('p1', 'one', 0), ('p2', 'two', 0);
      INSERT INTO "Comment" VALUES (1, 'c', 'p1'), (2, 'c', 'p1')`)
    const since = await markOracle(db)
    await whileOpen(`UPDATE "Comment" SET "postId" = 'p2' WHERE id = 1`, () =>
      prisma.post.delete({ where: { id: 'p1' } }),
    )
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + 1n })
    expect(
      (await db.changes(since.seq)).map(({ action, resource_id }) => `${action} ${resource_id}`).sort(),
    ).toEqual(['comment.delete 2', 'post.delete p1'])
  })

  it('that move a child away meanwhile from a key that changes: it keeps what it has', async () => {
    await db.sql(`
      INSERT INTO "Status" VALUES ('a'), ('b');
      INSERT INTO "Ticket" VALUES (1, 't', 'a'), (2, 't', 'a')`)
    const since = await markOracle(db)
    await whileOpen(`UPDATE "Ticket" SET "statusCode" = 'b' WHERE id = 1`, () =>
      prisma.status.update({ where: { code: 'a' }, data: { code: 'A' } }),
    )
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + 1n })
  })

  it('that change a child meanwhile, whose parent gets another key', async () => {
    await db.sql(`INSERT INTO "Warehouse" VALUES ('ZH', 'z'); INSERT INTO "Shelf" VALUES ('ZH', 1, NULL)`)
    const since = await markOracle(db)
    await whileOpen(`UPDATE "Shelf" SET label = 'new'`, () =>
      prisma.warehouse.update({ where: { code: 'ZH' }, data: { code: 'BE' } }),
    )
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + 1n })
    const shelf = (await db.changes(since.seq)).find(({ action }) => action === 'shelf.update')
    expect(shelf?.details).toMatchObject({
      before: { label: 'new' },
      after: { label: 'new', warehouseCode: 'BE' },
    })
  })

  it('that make the condition true for one more parent after the lock, while its child is being changed', async () => {
    await db.sql(
      `INSERT INTO "Category" (id, name, "parentId") VALUES (1, 'x', NULL), (2, 'y', NULL), (3, 'old', 2)`,
    )
    const { prisma: client, log } = createLogged({ connectionString: db.url })
    const since = await markOracle(db)
    const other = await db.pool.connect()
    let meanwhile = 0n
    log.before = async ({ sql }) => {
      if (!/DELETE FROM/.test(sql)) return
      log.before = undefined
      await db.sql(`UPDATE "Category" SET name = 'x' WHERE id = 2`)
      await other.query('BEGIN')
      await other.query(`UPDATE "Category" SET name = 'new' WHERE id = 3`)
      meanwhile = 2n
    }
    const done = client.category.deleteMany({ where: { name: 'x' } }).then((result) => result)
    // it waits only where the one more parent is deleted, too
    await Promise.race([done, untilWaiting(db)])
    await other.query('COMMIT')
    other.release()
    await done
    expect(meanwhile).toBe(2n)
    await expectEntriesToMatchOracle(db, { ...since, change: since.change + meanwhile })
  })
})
