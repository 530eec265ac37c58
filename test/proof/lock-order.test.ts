import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase } from '../support/database.ts'
import { untilWaiting } from '../support/locks.ts'

const database = await createDatabase()
// the tables are made in another order than their foreign keys
await database.sql(`
  CREATE TABLE leaf (id int PRIMARY KEY, stem int, owner int);
  CREATE TABLE stem (id int PRIMARY KEY, owner int);
  CREATE TABLE owner (id int PRIMARY KEY, deputy int REFERENCES owner ON DELETE SET NULL);
  ALTER TABLE stem ADD CONSTRAINT stem_owner FOREIGN KEY (owner) REFERENCES owner ON DELETE CASCADE;
  ALTER TABLE leaf ADD CONSTRAINT leaf_stem FOREIGN KEY (stem) REFERENCES stem ON DELETE CASCADE;
  ALTER TABLE leaf ADD CONSTRAINT leaf_owner FOREIGN KEY (owner) REFERENCES owner ON DELETE CASCADE;
`)

const open = () =>
  new PrismaClient({
    adapter: new PrismaPg({ connectionString: database.url, options: '-c deadlock_timeout=50ms' }),
  })
const clients = [
  ['unaudited', open()],
  ['audited', withAudit(open()) as unknown as PrismaClient],
] as const
afterAll(() => Promise.all(clients.map(([, client]) => client.$disconnect())))

/** Runs `work` while another session holds what `lock` locks; `work` ends the session itself, by `release`. */
async function whileLocked(
  lock: string,
  work: (release: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const holder = new pg.Client(database.url)
  await holder.connect()
  try {
    await holder.query(`BEGIN; ${lock}`)
    await work(async () => void (await holder.query('ROLLBACK')))
  } finally {
    await holder.end()
  }
}

const codeOf = (error: { meta?: { driverAdapterError?: { cause?: { originalCode?: string } } } }) =>
  error.meta?.driverAdapterError?.cause?.originalCode

describe.each(clients)('the %s client', (_, client) => {
  it('locks what a deletion reaches in the order in which its foreign keys were made', async () => {
    await database.sql(
      'INSERT INTO owner VALUES (1); INSERT INTO stem VALUES (1, 1); INSERT INTO leaf VALUES (1, 1, 1)',
    )
    await whileLocked('SELECT FROM stem FOR UPDATE', async (release) => {
      const deleted = client.$executeRaw`DELETE FROM owner WHERE id = 1`.then((count) => count)
      await untilWaiting(database, 1)
      // whoever has the stem may go on to its leaves, as everyone who deletes a stem does
      expect(await database.sql('SELECT id FROM leaf FOR UPDATE SKIP LOCKED')).toEqual([{ id: 1 }])
      await release()
      expect(await deleted).toBe(1)
    })
    expect(await database.sql('SELECT FROM leaf')).toEqual([])
  })

  // The one deadlock that the audit makes likelier: the locks are the same, but not all in one statement.
  it('deadlocks when two rows that refer to each other are deleted at the same time', async () => {
    await database.sql(`
      INSERT INTO owner VALUES (1), (2), (3), (4);
      UPDATE owner SET deputy = CASE WHEN id % 2 = 1 THEN 2 ELSE 1 END;
      -- as they come to be read: the deputies 3 and 4 before 1 and 2
      UPDATE owner SET deputy = deputy WHERE id < 3`)
    await whileLocked('SELECT FROM owner WHERE id > 2 FOR UPDATE', async (release) => {
      const deletions = [1, 2].map((id) =>
        client.$executeRaw`DELETE FROM owner WHERE id = ${id}`.then(() => 'done', codeOf),
      )
      await untilWaiting(database, 2)
      await release()
      expect((await Promise.all(deletions)).sort()).toEqual(['40P01', 'done'])
    })
    await database.sql('DELETE FROM owner')
  })
})
