import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { until, write } from './readers.ts'

const seed = Number(process.env.PROOF_SEED ?? Date.now() % 1_000_000)
const database = await createDatabase()
const prisma = withAudit(createClient(database.url))
afterAll(() => prisma.$disconnect())

/** Numbers below `limit`, always the same for a seed: mulberry32. */
function randomOf(start: number): (limit: number) => number {
  let state = start
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** Transactions of one session: short and long, with savepoints, of which some are rolled back. */
async function writeAtRandom(client: pg.PoolClient, writer: number, transactions: number): Promise<void> {
  const random = randomOf(seed + writer)
  for (let transaction = 0; transaction < transactions; transaction++) {
    const isLong = random(5) === 0
    await client.query('BEGIN')
    for (let step = 0; step < 1 + random(4); step++) {
      const isSaved = random(3) === 0
      if (isSaved) await client.query('SAVEPOINT s')
      await write(client, `w${writer}.t${transaction}`)
      if (isSaved) await client.query(random(2) === 0 ? 'ROLLBACK TO SAVEPOINT s' : 'RELEASE SAVEPOINT s')
      if (isLong) await sleep(random(80))
    }
    await client.query(random(4) === 0 ? 'ROLLBACK' : 'COMMIT')
  }
}

it(`subscribers get exactly what is committed, in order, whatever runs meanwhile (PROOF_SEED=${seed})`, {
  timeout: 60_000,
}, async () => {
  const told: bigint[][] = [[], []]
  const subscriptions = await Promise.all(
    told.map((ids, index) =>
      prisma.$audit.subscribe(
        `subscriber ${index}`,
        (entries) => void ids.push(...entries.map(({ seq }) => seq)),
        { pollInterval: 10, batchSize: index === 0 ? 3 : 1_000 },
      ),
    ),
  )
  const clients = await Promise.all(Array.from({ length: 8 }, () => database.pool.connect()))
  await Promise.all(clients.map((client, writer) => writeAtRandom(client, writer, 25)))
  for (const client of clients) client.release()
  await write(database.pool, 'the.last')
  const committed = await database.sql<{ seq: string }>(
    'SELECT seq FROM audit_logs ORDER BY transaction_id, seq',
  )
  const wanted = committed.map(({ seq }) => BigInt(seq))
  await until(() => told.every(({ length }) => length >= wanted.length), 'every entry should have come')
  await Promise.all(subscriptions.map((subscription) => subscription.stop()))
  expect(told).toEqual([wanted, wanted])
  expect(wanted).not.toEqual(wanted.toSorted((a, b) => (a < b ? -1 : 1)))
})
