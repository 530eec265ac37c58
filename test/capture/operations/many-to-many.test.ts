import { beforeEach, describe, expect, it } from 'vitest'
import { briefSorted } from '../../support/recorded.ts'
import { at, user } from '../../support/users.ts'
import { createAudited } from '../audited.ts'

// Every `recordedBy` also compares the entries with what a row trigger saw: before, after, changed, transaction.
const { prisma, recordedBy, empty } = await createAudited()

beforeEach(empty)

describe('implicit many-to-many', () => {
  it('connect is recorded on both sides, each with its own relation', async () => {
    await prisma.tag.create({ data: { name: 't' } })
    await prisma.post.create({ data: { id: 'p1', title: 'one' } })
    const expected = [
      {
        action: 'post.connect',
        id: 'p1',
        operation: 'update',
        relation: 'tags',
        target: { type: 'tag', id: '1' },
      },
      {
        action: 'tag.connect',
        id: '1',
        operation: 'update',
        relation: 'posts',
        target: { type: 'post', id: 'p1' },
      },
    ]
    const fromPost = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 1 } } } }),
    )
    expect(fromPost).toEqual(expected)
    await prisma.post.update({ where: { id: 'p1' }, data: { tags: { set: [] } } })
    const fromTag = await recordedBy(() =>
      prisma.tag.update({ where: { id: 1 }, data: { posts: { connect: { id: 'p1' } } } }),
    )
    expect(fromTag).toEqual(expected)
  })

  it('connect of what is connected already writes no entry', async () => {
    await prisma.post.create({ data: { id: 'p1', title: 'one', tags: { create: { name: 't' } } } })
    expect(
      await recordedBy(() =>
        prisma.post.update({ where: { id: 'p1' }, data: { tags: { connect: { id: 1 } } } }),
      ),
    ).toEqual([])
  })

  it('disconnect, set, and the deletion of one side are recorded on both sides', async () => {
    await prisma.tag.createMany({ data: ['a', 'b', 'c'].map((name) => ({ name })) })
    await prisma.post.create({ data: { id: 'p1', title: 'one', tags: { connect: [{ id: 1 }, { id: 2 }] } } })
    const disconnected = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { disconnect: { id: 1 } } } }),
    )
    expect(briefSorted(disconnected)).toEqual([
      'post.disconnect p1 tags → tag 1',
      'tag.disconnect 1 posts → post p1',
    ])
    const set = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { set: [{ id: 3 }] } } }),
    )
    expect(briefSorted(set)).toEqual([
      'post.connect p1 tags → tag 3',
      'post.disconnect p1 tags → tag 2',
      'tag.connect 3 posts → post p1',
      'tag.disconnect 2 posts → post p1',
    ])
    const removed = await recordedBy(() =>
      prisma.post.update({ where: { id: 'p1' }, data: { tags: { delete: { id: 3 } } } }),
    )
    expect(briefSorted(removed)).toEqual([
      'post.disconnect p1 tags → tag 3 because tag.delete',
      'tag.delete 3',
      'tag.disconnect 3 posts → post p1 because tag.delete',
    ])
  })

  it('create, update, upsert and deleteMany through the relation', async () => {
    const created = await recordedBy(() =>
      prisma.post.create({
        data: { id: 'p1', title: 'one', tags: { create: [{ name: 'a' }, { name: 'b' }] } },
      }),
    )
    expect(briefSorted(created)).toEqual([
      'post.connect p1 tags → tag 1',
      'post.connect p1 tags → tag 2',
      'post.create p1',
      'tag.connect 1 posts → post p1',
      'tag.connect 2 posts → post p1',
      'tag.create 1',
      'tag.create 2',
    ])
    const changed = await recordedBy(() =>
      prisma.post.update({
        where: { id: 'p1' },
        data: {
          tags: {
            update: { where: { id: 1 }, data: { name: 'A' } },
            updateMany: { where: { name: 'b' }, data: { name: 'B' } },
            upsert: { where: { name: 'c' }, create: { name: 'c' }, update: { name: 'C' } },
          },
        },
      }),
    )
    expect(briefSorted(changed)).toEqual([
      'post.connect p1 tags → tag 3',
      'tag.connect 3 posts → post p1',
      'tag.create 3',
      'tag.update 1 [name]',
      'tag.update 2 [name]',
    ])
    const removed = await recordedBy(() =>
      prisma.post.update({
        where: { id: 'p1' },
        data: { tags: { deleteMany: { name: { in: ['A', 'B'] } } } },
      }),
    )
    expect(briefSorted(removed)).toEqual([
      'post.disconnect p1 tags → tag 1 because tag.delete',
      'post.disconnect p1 tags → tag 2 because tag.delete',
      'tag.delete 1',
      'tag.delete 2',
      'tag.disconnect 1 posts → post p1 because tag.delete',
      'tag.disconnect 2 posts → post p1 because tag.delete',
    ])
  })

  it('between records of one model: who is whose friend', async () => {
    await prisma.user.createMany({ data: [user(1), user(2), user(3)] })
    const friends = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, friends: { connect: { id: 2 } } } }),
    )
    expect(briefSorted(friends)).toEqual([
      'user.connect 1 friends → user 2',
      'user.connect 2 friendOf → user 1',
    ])
    const friendOf = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, friendOf: { connect: { id: 3 } } } }),
    )
    expect(briefSorted(friendOf)).toEqual([
      'user.connect 1 friendOf → user 3',
      'user.connect 3 friends → user 1',
    ])
    // the log agrees with what Prisma itself reads
    expect(
      await prisma.user.findUnique({
        where: { id: 1 },
        select: { friends: { select: { id: true } }, friendOf: { select: { id: true } } },
      }),
    ).toEqual({ friends: [{ id: 2 }], friendOf: [{ id: 3 }] })
    const disconnected = await recordedBy(() =>
      prisma.user.update({ where: { id: 2 }, data: { updatedAt: at, friendOf: { disconnect: { id: 1 } } } }),
    )
    expect(briefSorted(disconnected)).toEqual([
      'user.disconnect 1 friends → user 2',
      'user.disconnect 2 friendOf → user 1',
    ])
  })

  it('a link that raw SQL moves is cut and made; one that stays as it is writes no entry', async () => {
    await prisma.tag.createMany({ data: ['a', 'b'].map((name) => ({ name })) })
    await prisma.post.create({ data: { id: 'p1', title: 'one', tags: { connect: { id: 1 } } } })
    await prisma.post.create({ data: { id: 'p2', title: 'two' } })
    const recordedOf = async (sql: string) =>
      briefSorted(await recordedBy(() => prisma.$executeRawUnsafe(sql)))
    const moved = (from: number, to: number) => [
      `post.connect p1 tags → tag ${to}`,
      `post.disconnect p1 tags → tag ${from}`,
      `tag.connect ${to} posts → post p1`,
      `tag.disconnect ${from} posts → post p1`,
    ]
    expect(await recordedOf(`UPDATE "_PostToTag" SET "A" = "A"`)).toEqual([])
    expect(await recordedOf(`UPDATE "_PostToTag" SET "B" = 2`)).toEqual(moved(1, 2))
    const upsert = (post: string, tag: number, set: string) =>
      recordedOf(
        `INSERT INTO "_PostToTag" VALUES ('${post}', ${tag}) ON CONFLICT ("A", "B") DO UPDATE SET "B" = ${set}`,
      )
    expect(await upsert('p1', 2, 'excluded."B"')).toEqual([])
    expect(await upsert('p1', 2, '1')).toEqual(moved(2, 1))
    expect(await upsert('p2', 2, '1')).toEqual([
      'post.connect p2 tags → tag 2',
      'tag.connect 2 posts → post p2',
    ])
  })

  it('of a record with itself is recorded once for each side', async () => {
    await prisma.user.create({ data: user(1) })
    const entries = await recordedBy(() =>
      prisma.user.update({ where: { id: 1 }, data: { updatedAt: at, friends: { connect: { id: 1 } } } }),
    )
    expect(briefSorted(entries)).toEqual([
      'user.connect 1 friendOf → user 1',
      'user.connect 1 friends → user 1',
    ])
    const gone = await recordedBy(() => prisma.user.delete({ where: { id: 1 } }))
    expect(briefSorted(gone)).toEqual([
      'user.delete 1',
      'user.disconnect 1 friendOf → user 1 because user.delete',
      'user.disconnect 1 friends → user 1 because user.delete',
    ])
  })
})
