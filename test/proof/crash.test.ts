import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { installOracle, markOracle, type OracleMark } from '../support/oracle.ts'
import { expectNothingLost, expectOutcomes, expectWholeStory, startLoad } from './load.ts'
import { proofFactor, proofSeed, startOwnServer } from './own-server.ts'
import { mountSmallDisk } from './small-disk.ts'

const { server, database } = await startOwnServer({ fsync: 'on', max_connections: '100' })
await installOracle(database)
const connection = { connectionString: database.url }

let mark: OracleMark
beforeEach(async () => {
  mark = await markOracle(database)
})

/** By Prisma's code, by SQLSTATE (57: an operator intervened), or by the driver, when a transaction loses its connection. */
const unreachable =
  /^(P1001|P1017|P2024|P2028|(P2039 |P2010 )?57P0[123]|Error: (Connection terminated.*|Client has encountered a connection error.*|read ECONNRESET|write EPIPE|connect ECONNREFUSED.*)|DriverAdapterError: ConnectionClosed)$/

describe(`under the load of 16 writers (PROOF_SEED=${proofSeed})`, {
  timeout: (proofFactor + 10) * 20_000,
}, () => {
  it('a server that is killed and started again has each change with its entry', async () => {
    const load = startLoad(connection, proofSeed)
    for (let crash = 0; crash < proofFactor; crash++) {
      await load.progress(100)
      await server.kill()
      await sleep(100)
      await server.resume()
    }
    await load.progress(50)
    await expectOutcomes(load, unreachable)
    await expectWholeStory(database, load, mark)
    expect(load.lost).toEqual([])
  })

  it.each([
    ['in the middle of a statement', 'active'],
    ['in the middle of a transaction', 'idle in transaction'],
  ])('connections that are dropped %s leave nothing half done', async (_, state) => {
    const load = startLoad(connection, proofSeed + 1)
    let dropped = 0
    while (dropped < 20 * proofFactor) {
      await load.progress(3)
      const sessions = await database.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'load' AND state = $1 ORDER BY random() LIMIT 3`,
        [state],
      )
      dropped += sessions.length
    }
    await load.progress(20)
    await expectOutcomes(load, unreachable)
    await expectWholeStory(database, load, mark)
    expect(load.lost).toEqual([])
  })

  it('statements that time out leave nothing', async () => {
    const load = startLoad({ ...connection, options: '-c statement_timeout=1s' }, proofSeed + 2)
    for (let round = 0; round < proofFactor; round++) {
      await load.progress(20)
      const holder = await database.pool.connect()
      await holder.query('BEGIN; LOCK TABLE "Post" IN SHARE ROW EXCLUSIVE MODE')
      await load.meets(/57014/)
      await holder.query('ROLLBACK')
      holder.release()
    }
    await load.progress(20)
    await expectOutcomes(load, /^(P2039 57014|57014|25P02)$/)
    await expectWholeStory(database, load, mark)
  })

  it('a full disk under the log refuses changes, until there is room', async ({ skip }) => {
    const disk = await mountSmallDisk(database)
    if (!disk) return skip('this process may not mount a tmpfs')
    await database.sql('ALTER TABLE audit_logs SET TABLESPACE small')
    const load = startLoad(connection, proofSeed + 3)
    await load.progress(20)
    disk.fill(64)
    await load.meets(/53100/)
    disk.free()
    await load.progress(50)
    await expectOutcomes(load, /^(P2039 53100|25P02)$/)
    await expectNothingLost(database, load, mark)
    expect(load.lost).toEqual([])
    await database.sql('ALTER TABLE audit_logs SET TABLESPACE pg_default')
    await disk.remove()
  })
})
