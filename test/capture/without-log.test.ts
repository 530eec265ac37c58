import { expect, test } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const database = await createDatabase()
await database.sql(`INSERT INTO "Tag" (id, name) VALUES (1, 'one')`)
await database.sql('ALTER TABLE audit_logs RENAME TO gone')
const prisma = withAudit(createClient(database.url), { models: { exclude: ['Country'] }, onError: () => {} })

test.each<[string, () => PromiseLike<unknown>, unknown]>([
  ['findMany', () => prisma.tag.findMany({ select: { name: true } }), [{ name: 'one' }]],
  ['count', () => prisma.tag.count(), 1],
  ['a raw query', () => prisma.$queryRaw`SELECT 1 AS one`, [{ one: 1 }]],
  ['a raw query that calls functions', () => prisma.$queryRaw`SELECT lower('A') AS a`, [{ a: 'a' }]],
  ['a transaction that reads', () => prisma.$transaction((tx) => tx.tag.count()), 1],
  [
    'a write of a model that is not recorded',
    () => prisma.country.create({ data: { code: 'CH', name: 'x' }, select: { code: true } }),
    { code: 'CH' },
  ],
])('without the table of the log, %s works', async (_, work, result) => {
  expect(await work()).toEqual(result)
})

test.each<[string, () => PromiseLike<unknown>]>([
  ['a write', () => prisma.tag.create({ data: { name: 'two' } })],
  ['a raw write', () => prisma.$executeRaw`UPDATE "Tag" SET name = 'uno'`],
  ['a statement that can write anything', () => prisma.$executeRaw`DO $$ BEGIN END $$`],
  ['a write in a transaction', () => prisma.$transaction((tx) => tx.tag.deleteMany())],
])('without the table of the log, %s is refused', async (_, work) => {
  await expect(work()).rejects.toMatchObject({ code: 'AUDIT_TABLE_MISSING' })
  expect(await database.sql('SELECT name FROM "Tag"')).toEqual([{ name: 'one' }])
})

test('as soon as the table is there, writes work', async () => {
  await database.sql('ALTER TABLE gone RENAME TO audit_logs')
  await prisma.tag.create({ data: { id: 2, name: 'two' } })
  expect((await database.changes()).map(({ action }) => action)).toEqual(['tag.create'])
})
