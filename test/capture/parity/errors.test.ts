import { describe, expect, it } from 'vitest'
import type { PrismaClient } from '../../generated/client/client.ts'
import { outcome } from '../../support/outcome.ts'
import { user } from '../../support/users.ts'
import { createTwins } from './twins.ts'

const { auditedDb, plain, audited, same, sameError } = await createTwins()

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
