import type pg from 'pg'
import { expect, test } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { type Catalog, findTable } from '../../src/postgres/catalog.ts'
import { GrowingCatalog } from '../../src/postgres/read-catalog.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { createLogged } from './statement-log.ts'

const database = await createDatabase()
const { prisma, log } = createLogged({ connectionString: database.url })

const connectionOn = (client: Pick<pg.Pool, 'query'>) => ({
  queryRaw: async ({ sql, args }: { sql: string; args: unknown[] }) => {
    const { rows } = await client.query({ text: sql, values: args, rowMode: 'array' })
    return { columnNames: [], columnTypes: [], rows }
  },
  executeRaw: () => Promise.reject(new Error('the catalog is only read')),
})
const connection = connectionOn(database.pool)

function namesRead(catalog: Catalog): string[] {
  return [...catalog.read.values()].map(({ table }) => table.name).sort()
}

await database.sql(`
  CREATE TABLE firm (id int PRIMARY KEY, code text UNIQUE);
  CREATE TABLE person (id int PRIMARY KEY, firm int REFERENCES firm ON DELETE CASCADE);
  CREATE TABLE badge (id int PRIMARY KEY, person int REFERENCES person ON DELETE SET NULL ON UPDATE CASCADE);
  CREATE TABLE badge_use (badge int REFERENCES badge ON DELETE CASCADE);
  CREATE TABLE letter (firm text REFERENCES firm (code) ON UPDATE CASCADE ON DELETE RESTRICT);
  CREATE TABLE bystander (id int PRIMARY KEY, person int REFERENCES person)`)

test('a statement reads its own table and those that its changes can reach, and no others', async () => {
  const catalog = await GrowingCatalog.open(connection)
  await catalog.readPart(['firm'], connection)
  // badge_use is reached only where a badge is deleted, and bystander by nothing
  expect(namesRead(catalog)).toEqual(['badge', 'firm', 'letter', 'person'])
})

test('a table that another one reached is read again for its own reach', async () => {
  const catalog = await GrowingCatalog.open(connection)
  await catalog.readPart(['firm'], connection)
  expect(() => findTable(catalog, { name: 'badge' })).toThrow('has not been read')
  await catalog.readPart(['badge'], connection)
  expect(namesRead(catalog)).toEqual(['badge', 'badge_use', 'firm', 'letter', 'person'])
  const badge = findTable(catalog, { name: 'badge' })
  expect(badge?.referencedBy.map(({ child }) => child.name)).toEqual(['badge_use'])
  const person = findTable(catalog, { name: 'firm' })?.referencedBy.map(({ child }) => child)[0]
  expect(person?.referencedBy.map(({ child }) => child)).toEqual([badge])
})

test('of a many-to-many table, what it links is read too: the key of a linked record may be redacted', async () => {
  const catalog = await GrowingCatalog.open(connection)
  await catalog.readPart(['_PostToTag'], connection)
  expect(namesRead(catalog)).toEqual(['Post', 'Tag', '_PostToTag'])
})

test('a table that has changed between two reads makes the catalog outdated', async () => {
  const catalog = await GrowingCatalog.open(connection)
  await catalog.readPart(['firm'], connection)
  await database.sql('ALTER TABLE badge ADD COLUMN color text')
  expect(await catalog.readPart(['badge'], connection)).toBe(false)
})

test('and a client then reads again what it needs', async () => {
  await prisma.$executeRaw`INSERT INTO firm VALUES (1, 'one')`
  await prisma.$executeRaw`INSERT INTO person VALUES (1, 1)`
  await prisma.$executeRaw`INSERT INTO badge VALUES (1, 1)`
  await database.sql('ALTER TABLE person ADD COLUMN name text')
  const change = () => prisma.$executeRaw`DELETE FROM firm`
  expect((await database.changesOf(change)).map(({ action, details }) => [action, details.before])).toEqual([
    ['firm.delete', { id: 1, code: 'one' }],
    ['person.delete', { id: 1, firm: 1, name: null }],
    ['badge.update', { id: 1, person: 1, color: null }],
  ])
})

test('one more statement on a known table reads nothing, on another one only that', async () => {
  await prisma.$executeRaw`INSERT INTO bystander VALUES (1)`
  await log.during(async () => {
    await prisma.$executeRaw`UPDATE bystander SET person = null`
  })
  expect(log.catalogReads).toBe(0)
  await log.during(async () => {
    await prisma.$executeRaw`INSERT INTO badge_use VALUES (null)`
  })
  expect(log.catalogReads).toBe(1)
})

test('after a temporary table, a transaction reads only what its statements need', async () => {
  await prisma.$transaction(async (tx) => {
    await tx.$executeRaw`CREATE TEMP TABLE own (id int) ON COMMIT DROP`
    await log.during(async () => {
      await tx.$executeRaw`INSERT INTO bystander VALUES (2)`
    })
    expect(log.catalogReads).toBe(2) // the table, and before it the functions that may write
    await log.during(async () => {
      await tx.$executeRaw`INSERT INTO bystander VALUES (3)`
    })
    expect(log.catalogReads).toBe(0)
  })
})

test('a table that is missing is looked up each time, and does not make the others unknown', async () => {
  await prisma.$executeRaw`UPDATE bystander SET person = null`
  await expect(prisma.$executeRaw`UPDATE nowhere SET id = 1`).rejects.toThrow()
  await log.during(async () => {
    await prisma.$executeRaw`UPDATE bystander SET person = null`
  })
  expect(log.catalogReads).toBe(0)
  await database.sql('CREATE TABLE nowhere (id int PRIMARY KEY)')
  const change = () => prisma.$executeRaw`INSERT INTO nowhere VALUES (1)`
  expect((await database.changeOf(change)).action).toBe('nowhere.create')
})

test('a foreign key that is not enforced changes no row, and none is recorded', async ({ skip }) => {
  if ((await database.serverVersion()) < 18) skip('PostgreSQL 18 and newer')
  await database.sql(`
    CREATE TABLE shelf (id int PRIMARY KEY);
    CREATE TABLE book (id int PRIMARY KEY, shelf int REFERENCES shelf ON DELETE CASCADE,
      former int REFERENCES shelf ON DELETE CASCADE NOT ENFORCED);
    INSERT INTO shelf VALUES (1), (2);
    INSERT INTO book VALUES (1, 1, 2)`)
  const fresh = withAudit(createClient(database.url))
  const change = () => fresh.$executeRaw`DELETE FROM shelf WHERE id = 2`
  expect((await database.changesOf(change)).map(({ action }) => action)).toEqual(['shelf.delete'])
})

test('a table is found although another schema has had one of its name for longer', async () => {
  await database.sql('CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.late (id int PRIMARY KEY)')
  await expect(prisma.$executeRaw`INSERT INTO late VALUES (1)`).rejects.toThrow()
  await database.sql('CREATE TABLE late (id int PRIMARY KEY)')
  const change = () => prisma.$executeRaw`INSERT INTO late VALUES (1)`
  expect((await database.changeOf(change)).action).toBe('late.create')
})

test('a role that may read less does not make the catalog outdated', async () => {
  await database.sql(`
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
    CREATE ROLE catalog_half_blind;
    GRANT SELECT ON parent TO catalog_half_blind`)
  const client = await database.pool.connect()
  const catalog = await GrowingCatalog.open(connectionOn(client))
  await catalog.readPart(['child'], connectionOn(client))
  await client.query('SET ROLE catalog_half_blind')
  expect(await catalog.readPart(['parent'], connectionOn(client))).toBe(true)
  client.release(true)
  await database.sql('DROP OWNED BY catalog_half_blind; DROP ROLE catalog_half_blind')
})
