import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { migration } from '../support/migration.ts'
import { installOracle, lastChange, markOracle, type OracleMark } from '../support/oracle.ts'
import { expectNothingLost, expectOutcomes, expectWholeStory, startLoad } from './load.ts'
import { proofFactor, proofSeed } from './own-server.ts'

const database = await createDatabase()
await installOracle(database)
const connection = { connectionString: database.url }
const rounds = Array.from({ length: proofFactor })
const role = `app_${randomUUID().slice(0, 8)}`
await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`)
afterAll(() => database.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`))

/** Where a statement was known already, a transaction meets PostgreSQL's error, which names the log as well (P2021). */
const missing = /^(AUDIT_TABLE_MISSING|P2021 42P01|25P02)$/

let mark: OracleMark
beforeEach(async () => {
  mark = await markOracle(database)
})

/** Changes that commit from here on would be in this number. */
const changesSoFar = async () => {
  const [row] = await database.sql<{ count: string }>('SELECT count(*) FROM oracle.change')
  return row?.count
}

describe(`under the load of 16 writers (PROOF_SEED=${proofSeed})`, {
  timeout: (proofFactor + 10) * 20_000,
}, () => {
  it('a trigger that refuses entries refuses their changes', async () => {
    await database.sql(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = 'no entry today'; END $$;`)
    const load = startLoad(connection, proofSeed)
    for (const _ of rounds) {
      await load.progress(30)
      // waits for whoever is writing entries, and whoever comes later meets the trigger
      await database.sql(
        'CREATE TRIGGER refuse BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION refuse()',
      )
      const before = await changesSoFar()
      await load.meets(/ZZ001/)
      expect(await changesSoFar()).toBe(before)
      await database.sql('DROP TRIGGER refuse ON audit_logs')
    }
    await load.progress(30)
    await expectOutcomes(load, /^(P2039 ZZ001|25P02)$/)
    await expectWholeStory(database, load, mark)
    expect(load.lost.map(({ code }) => code).filter((code) => code !== 'AUDIT_NOT_WRITTEN')).toEqual([])
  })

  it('a privilege that is revoked stops changes until it is granted again', async () => {
    await database.sql(`
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`)
    const url = Object.assign(new URL(database.url), { username: role, password: 'app' })
    const load = startLoad({ connectionString: url.toString() }, proofSeed + 1)
    for (const _ of rounds) {
      await load.progress(30)
      await database.sql(`REVOKE INSERT ON audit_logs FROM ${role}`)
      await load.meets(/42501/)
      await expect(load.client.tag.create({ data: { name: 'refused' } })).rejects.toMatchObject({
        message: expect.stringContaining('permission denied for table audit_logs'),
      })
      await database.sql(`GRANT INSERT ON audit_logs TO ${role}`)
    }
    await load.progress(30)
    await expectOutcomes(load, /^(P2039 42501|25P02)$/)
    await expectWholeStory(database, load, mark)
    expect(await database.sql(`SELECT FROM "Tag" WHERE name = 'refused'`)).toEqual([])
  })

  it('a log that is renamed stops changes until it has its name again', async () => {
    const load = startLoad(connection, proofSeed + 2)
    for (const _ of rounds) {
      await load.progress(30)
      await database.sql('ALTER TABLE audit_logs RENAME TO elsewhere')
      const before = await changesSoFar()
      await load.meets(/AUDIT_TABLE_MISSING/)
      expect(await changesSoFar()).toBe(before)
      await database.sql('ALTER TABLE elsewhere RENAME TO audit_logs')
    }
    await load.progress(30)
    await expectOutcomes(load, missing)
    await expectWholeStory(database, load, mark)
  })

  it('a migration that adds and drops a column is in the entries from that moment on', async () => {
    const load = startLoad(connection, proofSeed + 3)
    const migrate = async (change: string) => {
      const session = await database.pool.connect()
      const sql = async (text: string, values?: unknown[]) =>
        (await session.query(text, values)).rows as never
      try {
        await session.query(`BEGIN; ALTER TABLE "Post" ${change}`)
        await installOracle({ sql }, 'Post')
        await session.query('COMMIT')
      } finally {
        await session.query('ROLLBACK')
        session.release()
      }
    }
    for (const _ of rounds) {
      await load.progress(20)
      await migrate('DROP COLUMN IF EXISTS rating')
      await load.progress(20)
      await migrate('ADD COLUMN rating numeric DEFAULT 2.50')
    }
    await load.progress(30)
    // which of their posts the writers update, and whether they do, is chance
    await load.client.post.create({ data: { id: 'rated', title: 'new' } })
    await load.client.post.update({ where: { id: 'rated' }, data: { title: 'updated' } })
    await load.stop()
    // the last column stays, so that the oracle knows its type
    await expectNothingLost(database, load, mark)
    const ratings = await database.sql(
      `SELECT DISTINCT details #>> '{after,rating}' AS rating FROM audit_logs
       WHERE action IN ('post.create', 'post.update') AND resource_id = 'rated'`,
    )
    expect(ratings).toEqual([{ rating: '2.50' }])
  })

  it('a log that is dropped stops changes until the migration has made it anew', async () => {
    const load = startLoad(connection, proofSeed + 4)
    await load.progress(30)
    await database.sql('DROP TABLE audit_logs')
    const change = await lastChange(database)
    const before = await changesSoFar()
    await load.meets(/AUDIT_TABLE_MISSING/)
    expect(await changesSoFar()).toBe(before)
    await database.sql(migration)
    await load.progress(30)
    await expectOutcomes(load, missing)
    await expectNothingLost(database, load, { seq: 0n, change })
  })
})
