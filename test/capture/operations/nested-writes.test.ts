import { beforeEach, describe, expect, it } from 'vitest'
import { brief, briefSorted } from '../../support/recorded.ts'
import { unique } from '../../support/unique.ts'
import { at, user } from '../../support/users.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { db, prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('nested writes', () => {
  it('create, two and three levels deep', async () => {
    const entries = await recordedBy(() =>
      prisma.user.create({
        data: {
          ...user(1),
          profile: { create: { id: 'f1', bio: 'b' } },
          posts: {
            create: [
              { id: 'p1', title: 'one', comments: { create: [{ text: 'c1', userId: 1 }, { text: 'c2' }] } },
              { id: 'p2', title: 'two', tags: { create: { name: 't' } } },
            ],
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.create 1',
      'comment.create 2',
      'post.connect p2 tags → tag 1',
      'post.create p1',
      'post.create p2',
      'profile.create f1',
      'tag.connect 1 posts → post p2',
      'tag.create 1',
      'user.create 1',
    ])
    expect(new Set(entries.map(({ operation }) => operation))).toEqual(new Set(['create']))
  })

  it('create of the parent from the child', async () => {
    const entries = await recordedBy(() =>
      prisma.comment.create({
        data: { text: 'c', post: { create: { id: 'p1', title: 'one', author: { create: user(1) } } } },
      }),
    )
    expect(brief(entries)).toEqual(['user.create 1', 'post.create p1', 'comment.create 1'])
  })

  it('createMany, two levels deep and three', async () => {
    const entries = await recordedBy(() =>
      prisma.user.create({
        data: {
          ...user(1),
          posts: {
            create: {
              id: 'p1',
              title: 'one',
              comments: { createMany: { data: [{ text: 'c1' }, { text: 'c2' }] } },
            },
          },
          comments: { createMany: { data: [{ text: 'c3', postId: 'p1' }], skipDuplicates: true } },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.create 1',
      'comment.create 2',
      'comment.create 3',
      'post.create p1',
      'user.create 1',
    ])
  })

  it('connect moves the foreign key: an update of the child', async () => {
    await prisma.user.createMany({ data: [user(1), user(2)] })
    await prisma.post.create({ data: { id: 'p1', title: 'one', authorId: 1 } })
    const fromParent = await recordedBy(() =>
      prisma.user.update({ where: { id: 2 }, data: { updatedAt: at, posts: { connect: { id: 'p1' } } } }),
    )
    expect(fromParent).toEqual([
      {
        action: 'post.update',
        id: 'p1',
        operation: 'update',
        before: { id: 'p1', title: 'one', views: 0, authorId: 1, reviewerId: null },
        after: { id: 'p1', title: 'one', views: 0, authorId: 2, reviewerId: null },
        changed: ['authorId'],
      },
    ])
    const fromChild = await recordedBy(() =>
      prisma.post.update({
        where: { id: 'p1' },
        data: { author: { connect: { email: 'u1@x.org' } }, reviewer: { connect: { id: 2 } } },
      }),
    )
    expect(brief(fromChild)).toEqual(['post.update p1 [authorId, reviewerId]'])
  })

  it('connect of what is connected already writes no entry', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    expect(
      await recordedBy(() =>
        prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, posts: { connect: { id: 'p1' } } } }),
      ),
    ).toEqual([])
  })

  it('connectOrCreate, on both branches', async () => {
    await prisma.tag.create({ data: { name: 'a' } })
    const entries = await recordedBy(() =>
      prisma.post.create({
        data: {
          id: 'p1',
          title: 'one',
          author: { connectOrCreate: { where: { email: 'u1@x.org' }, create: user(1) } },
          tags: {
            connectOrCreate: [
              { where: { name: 'a' }, create: { name: 'a' } },
              { where: { name: 'b' }, create: { name: 'b' } },
            ],
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'post.connect p1 tags → tag 1',
      'post.connect p1 tags → tag 2',
      'post.create p1',
      'tag.connect 1 posts → post p1',
      'tag.connect 2 posts → post p1',
      'tag.create 2',
      'user.create 1',
    ])
  })

  it('disconnect clears the foreign key: an update of the child', async () => {
    await prisma.user.create({
      data: {
        ...user(1),
        posts: {
          create: [
            { id: 'p1', title: 'one' },
            { id: 'p2', title: 'two' },
          ],
        },
      },
    })
    const entries = await recordedBy(async () => {
      await prisma.user.update({
        where: { id: 1 },
        data: { updatedAt: at, posts: { disconnect: { id: 'p1' } } },
      })
      await prisma.post.update({ where: { id: 'p2' }, data: { author: { disconnect: true } } })
    })
    expect(brief(entries)).toEqual(['post.update p1 [authorId]', 'post.update p2 [authorId]'])
    expect(entries.map(({ after }) => after.authorId)).toEqual([null, null])
  })

  it('set drops the old children and takes the new ones', async () => {
    await prisma.post.createMany({ data: ['p1', 'p2', 'p3'].map((id) => ({ id, title: id })) })
    await prisma.user.create({ data: { ...user(1), posts: { connect: [{ id: 'p1' }, { id: 'p2' }] } } })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { id: 1 },
        data: { updatedAt: at, posts: { set: [{ id: 'p2' }, { id: 'p3' }] } },
      }),
    )
    expect(briefSorted(entries)).toEqual(['post.update p1 [authorId]', 'post.update p3 [authorId]'])
  })

  it('update and updateMany, two and three levels deep', async () => {
    await prisma.user.create({
      data: {
        ...user(1),
        profile: { create: { id: 'f1', bio: 'b' } },
        posts: {
          create: [
            { id: 'p1', title: 'one', comments: { create: [{ text: 'c1' }, { text: 'c2' }] } },
            { id: 'p2', title: 'two' },
          ],
        },
      },
    })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          name: 'Ada',
          updatedAt: at,
          profile: { update: { bio: 'B' } },
          posts: {
            update: {
              where: { id: 'p1' },
              data: {
                title: 'ONE',
                comments: {
                  update: { where: { id: 1 }, data: { text: 'C1' } },
                  updateMany: { where: { text: 'c2' }, data: { text: 'C2' } },
                },
              },
            },
            updateMany: { where: {}, data: { views: 9 } },
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.update 1 [text]',
      'comment.update 2 [text]',
      'post.update p1 [title]',
      'post.update p1 [views]',
      'post.update p2 [views]',
      'profile.update f1 [bio]',
      'user.update 1 [name]',
    ])
  })

  it('upsert, on both branches', async () => {
    await prisma.user.create({ data: { ...user(1), posts: { create: { id: 'p1', title: 'one' } } } })
    const upsert = () =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          updatedAt: at,
          profile: { upsert: { create: { id: 'f1', bio: 'new' }, update: { bio: 'changed' } } },
          posts: {
            update: {
              where: { id: 'p1' },
              data: {
                comments: {
                  upsert: { where: { id: 1 }, create: { text: 'new' }, update: { text: 'changed' } },
                },
              },
            },
          },
        },
      })
    expect(briefSorted(await recordedBy(upsert))).toEqual(['comment.create 1', 'profile.create f1'])
    expect(briefSorted(await recordedBy(upsert))).toEqual([
      'comment.update 1 [text]',
      'profile.update f1 [bio]',
    ])
    expect(await recordedBy(upsert)).toEqual([])
  })

  it('delete and deleteMany, two and three levels deep', async () => {
    await prisma.user.create({
      data: {
        ...user(1),
        profile: { create: { id: 'f1', bio: 'b' } },
        posts: {
          create: [
            {
              id: 'p1',
              title: 'one',
              comments: { create: [{ text: 'c1' }, { text: 'c2' }, { text: 'c3' }] },
            },
            { id: 'p2', title: 'two' },
          ],
        },
      },
    })
    const entries = await recordedBy(() =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          updatedAt: at,
          profile: { delete: true },
          posts: {
            update: {
              where: { id: 'p1' },
              data: {
                comments: { delete: { id: 1 }, deleteMany: { text: 'c2' } },
              },
            },
            delete: { id: 'p2' },
          },
        },
      }),
    )
    expect(briefSorted(entries)).toEqual([
      'comment.delete 1',
      'comment.delete 2',
      'post.delete p2',
      'profile.delete f1',
    ])
    const rest = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, posts: { deleteMany: {} } } }),
    )
    expect(briefSorted(rest)).toEqual(['comment.delete 3 because post.delete', 'post.delete p1'])
  })

  it('leave nothing behind when one of their statements fails', async () => {
    await prisma.tag.create({ data: { name: 'a' } })
    const entries = await recordedBy(() =>
      prisma.user
        .create({
          data: {
            ...user(1),
            posts: { create: { id: 'p1', title: 'x', tags: { create: { name: 'a' } } } },
          },
        })
        .catch(() => {}),
    )
    expect(brief(entries).filter((line) => !line.includes('(no id)'))).toEqual([])
    expect(await db.sql('SELECT id FROM users')).toEqual([])
  })
})

describe('a nested write', () => {
  it('over five tables has one transaction id, and entries in the order of its statements', async () => {
    const email = unique('five@')
    let userId = 0
    const entries = await db.changesOf(async () => {
      const user = await prisma.user.create({
        data: {
          email,
          profile: { create: { bio: 'five' } },
          posts: {
            create: {
              title: 'five',
              comments: { create: { text: 'a comment' } },
              tags: { create: { name: unique('five') } },
            },
          },
        },
      })
      userId = user.id
    })
    expect(new Set(entries.map((entry) => entry.transaction_id)).size).toBe(1)
    expect(entries.map((entry) => BigInt(entry.seq))).toEqual(
      entries.map((entry) => BigInt(entry.seq)).sort((a, b) => (a < b ? -1 : 1)),
    )
    const [post] = await db.sql<{ id: string }>('SELECT id FROM "Post" WHERE "authorId" = $1', [userId])
    const [tag] = await db.sql<{ id: number }>('SELECT "B" AS id FROM "_PostToTag" WHERE "A" = $1', [
      post?.id,
    ])
    const recorded = entries.map(({ action, details }) => [action, details.target ?? null])
    expect(recorded).toHaveLength(7)
    expect(recorded[0]).toEqual(['user.create', null])
    expect(recorded).toEqual(
      expect.arrayContaining([
        ['profile.create', null],
        ['post.create', null],
        ['comment.create', null],
        ['tag.create', null],
        ['post.connect', { type: 'tag', id: String(tag?.id) }],
        ['tag.connect', { type: 'post', id: post?.id }],
      ]),
    )
    const position = (action: string) => entries.findIndex((entry) => entry.action === action)
    expect(position('post.create')).toBeLessThan(position('comment.create'))
    expect(position('tag.create')).toBeLessThan(position('post.connect'))
    expect(position('tag.connect')).toBe(position('post.connect') + 1)
    expect(entries.every((entry) => entry.details.operation === 'create')).toBe(true)
  })

  it('that fails in its last table leaves no entry of any', async () => {
    const name = unique('taken')
    await prisma.tag.create({ data: { name } })
    const entries = await db.changesOf(async () => {
      const running = prisma.user.create({
        data: {
          email: unique('fails@'),
          posts: { create: { title: 'fails', tags: { create: { name } } } },
        },
      })
      await expect(running).rejects.toMatchObject({ code: 'P2002' })
    })
    expect(entries).toEqual([])
  })
})
