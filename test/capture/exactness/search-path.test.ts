import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { withAudit } from '../../../src/index.ts'
import { PrismaClient } from '../../generated/client/client.ts'
import { createDatabase } from '../../support/database.ts'

const db = await createDatabase()
await db.sql(`
  CREATE SCHEMA other;
  CREATE TABLE other."Tag" (code text PRIMARY KEY, note text);
  CREATE TABLE other.only_here (id int PRIMARY KEY, note text)`)
const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }))
afterAll(() => prisma.$disconnect())

beforeEach(() =>
  db.sql(`TRUNCATE "Tag", other."Tag", other.only_here RESTART IDENTITY CASCADE;
    INSERT INTO "Tag" (name) VALUES ('a'); INSERT INTO other."Tag" VALUES ('x', 'one'); INSERT INTO other.only_here VALUES (1, 'one')`),
)

/** The entries of statements in one transaction. */
async function entriesOf(...statements: string[]): Promise<string[]> {
  const entries = await db.changesOf(() =>
    prisma.$transaction(async (tx) => {
      for (const sql of statements) await tx.$executeRawUnsafe(sql)
    }),
  )
  return entries
    .filter(({ details }) => details.reason !== 'definition')
    .map(({ action, resource_id, details }) =>
      [action, resource_id, ...(details.changed ?? []), details.reason].filter(Boolean).join(' '),
    )
}

describe('a name without a schema is the table that the session means by it', () => {
  it.each([
    'SET LOCAL search_path = other',
    `SELECT set_config('search_path', 'other, public', true)`,
    'SET LOCAL search_path TO other, public',
  ])('after %s', async (change) => {
    expect(await entriesOf(change, `UPDATE "Tag" SET note = 'two'`)).toEqual(['Tag.update x note'])
    expect(await db.sql('SELECT note FROM other."Tag"')).toEqual([{ note: 'two' }])
    expect(await entriesOf(`UPDATE "Tag" SET name = 'b'`)).toEqual(['tag.update 1 name'])
  })

  it('and back, in one transaction', async () => {
    expect(
      await entriesOf(
        'SET LOCAL search_path = other',
        `UPDATE "Tag" SET note = 'two'`,
        'SET LOCAL search_path = public',
        `UPDATE "Tag" SET name = 'b'`,
      ),
    ).toEqual(['Tag.update x note', 'tag.update 1 name'])
  })

  it('and the log is found by operations on models all the same', async () => {
    const entries = await db.changesOf(() =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRaw`SET LOCAL search_path = other`
        const { id } = await tx.tag.create({ data: { name: 'b' } })
        await tx.tag.update({ where: { id }, data: { name: 'c' } })
        await tx.tag.upsert({ where: { id }, create: { name: 'd' }, update: { name: 'd' } })
        await tx.tag.delete({ where: { id } })
      }),
    )
    expect(entries.map(({ action }) => action)).toEqual([
      'tag.create',
      'tag.update',
      'tag.update',
      'tag.delete',
    ])
  })

  it('where only another schema has it', async () => {
    expect(await entriesOf('SET LOCAL search_path = other', `DELETE FROM only_here`)).toEqual([
      'only_here.delete 1',
    ])
  })

  it('a temporary table with the name of a model: its text is recorded, as of any temporary table', async () => {
    expect(
      await entriesOf(
        'CREATE TEMPORARY TABLE "Tag" (note text) ON COMMIT DROP',
        `INSERT INTO "Tag" VALUES ('brief')`,
        `INSERT INTO public."Tag" (name) VALUES ('kept')`,
      ),
    ).toEqual(['raw.execute unknown-table', 'tag.create 2'])
    expect(await db.sql('SELECT name FROM "Tag" ORDER BY id')).toEqual([{ name: 'a' }, { name: 'kept' }])
  })
})

it('the search_path of the connection decides outside of transactions', async () => {
  const url = new URL(db.url)
  url.searchParams.set('options', '-c search_path=other')
  const elsewhere = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: url.href }) }), {
    table: 'public.audit_logs',
  })
  const entries = await db.changesOf(() => elsewhere.$executeRawUnsafe(`UPDATE "Tag" SET note = 'two'`))
  expect(entries.map(({ action, resource_id }) => `${action} ${resource_id}`)).toEqual(['Tag.update x'])
  await elsewhere.$disconnect()
})
