import { expect, it } from 'vitest'
import { prove } from './oracle.ts'

/**
 * Random operations on two databases, one audited and one not. What comes back must be the same, the tables must be
 * the same, and the log must be, entry by entry, what row triggers saw: table, id, verb, before, after, changed fields,
 * cause, the order within a row, who called and in which transaction.
 *
 * Here it is the same operations each time; `npm run test:oracle` runs others, longer, from a seed, or on a schema of yours.
 */
const shares = { 'test-schema': 0.6, chinook: 0.2, pagila: 0.2 }
const { ORACLE_RUNS: runs = '2000', ORACLE_SEED: seed = '20261124' } = process.env
const { ORACLE_SCHEMA: only, ORACLE_SECONDS: seconds = '600' } = process.env
const schemas = only ? { [only]: 1 } : shares

for (const [schema, share] of Object.entries(schemas)) {
  const proof = await prove(schema)
  it(`${schema}: the log is what row triggers saw, and nothing else is different`, {
    timeout: (Number(seconds) + 60) * 1000,
  }, async () => {
    const operations = Math.ceil(Number(runs) * share)
    const shown = await proof({ operations, seed: Number(seed), seconds: Number(seconds) * share })
    expect(shown.operations).toBeGreaterThanOrEqual(operations)
    expect(shown.entries).toBeGreaterThan(operations / 5)
  })
}
