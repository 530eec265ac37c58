import { beforeEach, describe, expect, it } from 'vitest'
import { untilWaiting } from '../../support/locks.ts'
import { expectEntriesToMatchOracle, markOracle } from '../../support/oracle.ts'
import { createAudited } from '../audited.ts'
import { createLogged } from '../statement-log.ts'
import { tables } from './tables.ts'

const { db, prisma, empty } = await createAudited({ setUp: tables })

beforeEach(empty)

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
