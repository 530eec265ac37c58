import { beforeEach, describe, expect, it } from 'vitest'
import { briefSorted } from '../../support/recorded.ts'
import { at } from '../../support/users.ts'
import { createAudited } from '../audited.ts'
import { tables } from './tables.ts'

const { db, prisma, recordedBy, empty } = await createAudited({ setUp: tables })

beforeEach(empty)

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

  it('of a row that refers to itself, by an upsert, is the row as it came out, too', async () => {
    await db.sql(`INSERT INTO node VALUES ('a', NULL, 'a'), ('b', NULL, 'a')`)
    const upsert = (code: string) => () =>
      prisma.$executeRaw`INSERT INTO node (code, parent) VALUES (${code}, NULL) ON CONFLICT (code) DO UPDATE SET code = upper(node.code)`
    const entries = await recordedBy(upsert('a'))
    expect(briefSorted(entries)).toEqual([
      'node.update a [code, parent]',
      'node.update b [parent] because node.update',
    ])
    expect(entries.find(({ id }) => id === 'a')?.after).toEqual({ code: 'A', touched: null, parent: 'A' })
    expect(briefSorted(await recordedBy(upsert('c')))).toEqual(['node.create c'])
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
