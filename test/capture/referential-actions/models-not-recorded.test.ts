import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { PrismaClient } from '../../generated/client/client.ts'
import { briefSorted } from '../../support/recorded.ts'
import { createAudited, recorder } from '../audited.ts'
import { tables } from './tables.ts'

const { db, empty } = await createAudited({ setUp: tables })

beforeEach(empty)

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
