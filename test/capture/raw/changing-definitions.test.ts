import { describe, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { createClient } from '../../support/database.ts'
import { createRaw, outline } from './raw.ts'

const { db, prisma } = await createRaw()

describe('definitions that change while the client runs', () => {
  it('a table created by raw SQL is captured from its first row', async () => {
    await prisma.tag.findMany()
    const entries = await db.changesOf(async () => {
      await prisma.$executeRaw`CREATE TABLE made_later (id int PRIMARY KEY, name text)`
      await prisma.$executeRaw`INSERT INTO made_later VALUES (1, 'x')`
      await prisma.$executeRaw`ALTER TABLE made_later ADD COLUMN more text`
      await prisma.$executeRaw`UPDATE made_later SET more = 'y', name = 'z'`
      await prisma.$executeRaw`ALTER TABLE made_later DROP COLUMN name`
      await prisma.$executeRaw`DELETE FROM made_later`
      await prisma.$executeRaw`DROP TABLE made_later`
    })
    expect(outline(entries)).toEqual([
      'raw.execute  definition',
      'made_later.create 1',
      'raw.execute  definition',
      'made_later.update 1 name more',
      'raw.execute  definition',
      'made_later.delete 1',
      'raw.execute  definition',
    ])
    expect(entries[5]?.details.before).toEqual({ id: 1, more: 'y' })
  })

  it('a table created in a transaction is captured in it, and forgotten when that is rolled back', async () => {
    const entries = await db.changesOf(async () => {
      await prisma.$transaction(async (tx) => {
        await tx.$executeRaw`CREATE TABLE made_inside (id int PRIMARY KEY)`
        await tx.$executeRaw`INSERT INTO made_inside VALUES (1)`
      })
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.$executeRaw`DROP TABLE made_inside`
          await tx.$executeRaw`CREATE TABLE made_inside (name text PRIMARY KEY)`
          await tx.$executeRaw`INSERT INTO made_inside VALUES ('x')`
          throw new Error('undo')
        }),
      ).rejects.toThrow('undo')
      await prisma.$executeRaw`INSERT INTO made_inside VALUES (2)`
    })
    expect(outline(entries)).toEqual([
      'raw.execute  definition',
      'made_inside.create 1',
      'made_inside.create 2',
    ])
    expect(entries[2]?.details.after).toEqual({ id: 2 })
  })

  it('a foreign key that a transaction dropped and rolled back still has its cascades recorded', async () => {
    const { id } = await prisma.post.create({ data: { title: 'post', comments: { create: { text: 'c' } } } })
    const entries = await db.changesOf(async () => {
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.$executeRaw`ALTER TABLE "Comment" DROP CONSTRAINT "Comment_postId_fkey"`
          await tx.tag.create({ data: { name: 'while it is gone' } })
          throw new Error('undo')
        }),
      ).rejects.toThrow('undo')
      await prisma.post.delete({ where: { id } })
    })
    expect(entries.map((entry) => entry.action)).toEqual(['post.delete', 'comment.delete'])
  })

  it('a trigger that another connection creates is taken into account', async () => {
    await db.sql(`
      CREATE TABLE triggered (id int PRIMARY KEY, name text, loud text);
      INSERT INTO triggered VALUES (1, 'x', 'X')`)
    const client = withAudit(createClient(db.url))
    await client.$executeRaw`UPDATE triggered SET name = 'y'`
    await client.$executeRaw`CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN NEW.loud := upper(NEW.name); RETURN NEW; END'`
    await client.$executeRaw`CREATE TRIGGER loud BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION loud()`
    const [entry] = await db.changesOf(() => client.$executeRaw`UPDATE triggered SET name = 'z'`)
    expect(entry?.details.changed).toEqual(['name', 'loud'])
  })
})
