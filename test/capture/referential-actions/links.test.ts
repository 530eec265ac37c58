import { beforeEach, describe, expect, it } from 'vitest'
import { briefSorted } from '../../support/recorded.ts'
import { user } from '../../support/users.ts'
import { createAudited } from '../audited.ts'
import { tables } from './tables.ts'

const { db, prisma, recordedBy, empty } = await createAudited({ setUp: tables })

beforeEach(empty)

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
