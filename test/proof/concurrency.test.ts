import { PrismaPg } from '@prisma/adapter-pg'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { expectEntriesToMatchOracle, installOracle, markOracle } from '../support/oracle.ts'
import { expectUnbrokenChains } from './chains.ts'
import { proofFactor, proofSeed as seed } from './own-server.ts'
import { careless, orderly, patient, randomOf, work } from './workload.ts'

const writers = 16
const turns = 8 * proofFactor

const audited = await createDatabase()
const unaudited = await createDatabase()
await installOracle(audited)

type Operations = typeof careless

/** 16 writers on one client whose connections all begin at the isolation level: single calls have it, too. */
async function run(
  database: Database,
  wrap: (client: PrismaClient) => unknown,
  level: string,
  operations: Operations,
  several: number,
): Promise<Map<string, number>> {
  const adapter = new PrismaPg({
    connectionString: database.url,
    options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')} -c deadlock_timeout=100ms`,
    max: 2 * writers,
  })
  const client = wrap(new PrismaClient({ adapter, transactionOptions: patient })) as PrismaClient
  const total = new Map<string, number>()
  await Promise.all(
    Array.from({ length: writers }, async (_, n) => {
      let left = turns
      for (const [kind, count] of await work(
        client,
        operations,
        randomOf(seed * 31 + n),
        several,
        () => left-- > 0,
      )) {
        total.set(kind, (total.get(kind) ?? 0) + count)
      }
    }),
  )
  await client.$disconnect()
  return total
}

/** The same calls on the audited client, whose log is checked, and on the unaudited one. */
async function compare(level: string, operations: Operations, several: number) {
  const mark = await markOracle(audited)
  const withAuditing = await run(audited, (client) => withAudit(client), level, operations, several)
  expect(await expectEntriesToMatchOracle(audited, mark)).toBeGreaterThan(turns)
  expectUnbrokenChains(await audited.changes())
  return { withAuditing, without: await run(unaudited, (client) => client, level, operations, several) }
}

const deadlock = 'P2034 40P01'
/** What these calls come to without the audit; at its end, a transaction fails with the error of the adapter. */
const usual = ['done', 'Error: changed its mind', 'P2025', 'P2002 23505', 'P2003 23503']
const conflicts = ['P2034 40001', '40001']

describe(`16 writers on overlapping rows (PROOF_SEED=${seed})`, {
  timeout: (proofFactor + 5) * 30_000,
}, () => {
  it.each([
    ['read committed', [...usual, deadlock]],
    ['repeatable read', [...usual, deadlock, ...conflicts]],
    ['serializable', [...usual, deadlock, ...conflicts]],
  ])(
    'at %s leave one entry for each change, unbroken chains, and no other errors than unaudited',
    async (level, kinds) => {
      const { withAuditing, without } = await compare(level, careless, 3)
      for (const outcomes of [withAuditing, without]) {
        expect([...outcomes.keys()].filter((kind) => !kinds.includes(kind))).toEqual([])
        expect(outcomes.get('done')).toBeGreaterThan(turns)
      }
    },
  )

  it.each([
    ['read committed', usual],
    ['repeatable read', [...usual, ...conflicts]],
    ['serializable', [...usual, ...conflicts]],
  ])('at %s never deadlock where the unaudited client never does', async (level, kinds) => {
    const { withAuditing, without } = await compare(level, orderly, 1)
    for (const outcomes of [withAuditing, without]) {
      expect([...outcomes.keys()].filter((kind) => !kinds.includes(kind))).toEqual([])
      expect(outcomes.get('done')).toBeGreaterThan(turns)
    }
  })
})
