import { beforeEach, describe, expect, it } from 'vitest'
import { briefSorted } from '../../support/recorded.ts'
import { user } from '../../support/users.ts'
import { createAudited } from '../audited.ts'
import { tables } from './tables.ts'

const { db, prisma, recordedBy, empty } = await createAudited({ setUp: tables })

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
