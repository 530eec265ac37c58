import { expect, it } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { installOracle, markOracle } from '../support/oracle.ts'
import { hasBouncer, startBouncer } from './bouncer.ts'
import { expectWholeStory, ordinary, startLoad } from './load.ts'
import { proofFactor, proofSeed } from './own-server.ts'

const database = await createDatabase()

it(`16 writers behind PgBouncer in transaction mode share four connections (PROOF_SEED=${proofSeed})`, {
  timeout: (proofFactor + 5) * 20_000,
}, async ({ skip }) => {
  if (!hasBouncer) return skip('pgbouncer is not installed (Debian: apt-get install pgbouncer)')
  await installOracle(database)
  const mark = await markOracle(database)
  const bouncer = await startBouncer(database.url, 4)
  try {
    const load = startLoad({ connectionString: bouncer.url }, proofSeed)
    await load.progress(100 * proofFactor)
    const kinds = [...(await load.stop()).keys()]
    expect(kinds.filter((kind) => !ordinary.test(kind))).toEqual([])
    await expectWholeStory(database, load, mark)
    expect(load.lost).toEqual([])
  } finally {
    await bouncer.stop()
  }
})
