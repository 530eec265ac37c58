import { expect, test } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'

const database = await createDatabase()
const prisma = withAudit(createClient(database.url))

/** What a change leaves in the log, in one object each. */
async function recordedBy(change: () => Promise<unknown>) {
  const entries = await database.entriesOf(change)
  return entries.map(({ action, resource_id, details }) => ({ action, resource_id, ...details }))
}

test('a column that a migration adds while the client runs is in the next entry', async () => {
  await prisma.tag.create({ data: { id: 1, name: 'one' } })
  await prisma.tag.update({ where: { id: 1 }, data: { name: 'uno' } })
  await database.sql(`ALTER TABLE "Tag" ADD COLUMN color text DEFAULT 'red'`)
  expect(await recordedBy(() => prisma.tag.update({ where: { id: 1 }, data: { name: 'eins' } }))).toEqual([
    {
      action: 'tag.update',
      resource_id: '1',
      before: { id: 1, name: 'uno', color: 'red' },
      after: { id: 1, name: 'eins', color: 'red' },
      changed: ['name'],
      operation: 'update',
    },
  ])
})

test('a column that a migration drops while the client runs is in no entry any more', async () => {
  await database.sql(`ALTER TABLE "Tag" DROP COLUMN color`)
  expect(await recordedBy(() => prisma.tag.delete({ where: { id: 1 } }))).toEqual([
    { action: 'tag.delete', resource_id: '1', before: { id: 1, name: 'eins' }, operation: 'delete' },
  ])
})

test('inside a transaction the statement after such a migration fails, and nothing of it is written', async () => {
  await prisma.tag.create({ data: { id: 2, name: 'two' } })
  await database.sql(`ALTER TABLE "Tag" ADD COLUMN size int`)
  const since = await database.lastSeq()
  const attempt = () => prisma.$transaction((tx) => tx.tag.create({ data: { id: 3, name: 'three' } }))
  await expect(attempt()).rejects.toMatchObject({ code: 'AUDIT_SCHEMA_CHANGED' })
  expect(await database.sql(`SELECT id FROM "Tag" WHERE id = 3`)).toEqual([])
  await prisma.$audit.flush()
  const failed = await database.entries(since)
  expect(failed.map(({ action, resource_id, outcome }) => [action, resource_id, outcome])).toEqual([
    ['tag.create', '3', 'failure'],
  ])
  expect(failed[0]?.reason).toMatch(/^AUDIT_SCHEMA_CHANGED: /)
  await attempt()
  expect(await database.changes(since)).toMatchObject([
    { action: 'tag.create', details: { after: { size: null } } },
  ])
})

test('a table that is newer than the client is captured row by row', async () => {
  await database.sql('CREATE TABLE parcel (id int PRIMARY KEY, weight numeric)')
  const change = () => prisma.$executeRaw`INSERT INTO parcel VALUES (1, 2.50)`
  expect(await recordedBy(change)).toEqual([
    { action: 'parcel.create', resource_id: '1', after: { id: 1, weight: '2.50' }, operation: '$executeRaw' },
  ])
})

test('a log that is dropped while the client runs stops every write', async () => {
  await database.sql('ALTER TABLE audit_logs RENAME TO gone')
  await expect(prisma.tag.create({ data: { id: 9, name: 'nine' } })).rejects.toMatchObject({
    code: 'AUDIT_TABLE_MISSING',
  })
  expect(await database.sql(`SELECT id FROM "Tag" WHERE id = 9`)).toEqual([])
})

test.each([
  ['a client that finds it missing', false],
  ['a client that knew it', true],
])('without the log, %s leaves no connection inside a transaction', async (_, knewIt) => {
  const own = await createDatabase()
  const one = withAudit(createClient(own.url, { max: 1 }))
  const nested = () => one.post.create({ data: { title: 'post', comments: { create: { text: 'one' } } } })
  if (knewIt) await nested()
  await own.sql('ALTER TABLE audit_logs RENAME TO gone')
  await expect(nested()).rejects.toMatchObject({ code: knewIt ? 'P2021' : 'AUDIT_TABLE_MISSING' })
  await own.sql('ALTER TABLE gone RENAME TO audit_logs')
  await one.tag.create({ data: { name: 'kept' } })
  expect(await own.sql('SELECT name FROM "Tag"')).toEqual([{ name: 'kept' }])
})
