import { describe } from 'vitest'
import { Prisma } from '../../generated/client/client.ts'
import { describeError, outcome } from '../../support/outcome.ts'
import { at, user } from '../../support/users.ts'
import { createTwins } from './twins.ts'

const { same, sameError } = await createTwins()

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
