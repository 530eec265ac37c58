import { expect, it } from 'vitest'
import { prove } from '../oracle/oracle.ts'

const { ORACLE_RUNS: runs = '600', ORACLE_SEED: seed = '20261128' } = process.env

for (const schema of ['test-schema', 'chinook', 'pagila']) {
  const proof = await prove(schema, { watched: 'all', client: 'plain' })
  it(`${schema}: triggers record every change of a client that knows nothing of an audit`, {
    timeout: 400_000,
  }, async () => {
    const operations = Number(runs) / 3
    const shown = await proof({ operations, seed: Number(seed), seconds: 300 })
    expect(shown.entries).toBeGreaterThan(operations / 5)
  })
}
