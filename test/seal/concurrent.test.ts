import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, it } from 'vitest'
import { startSealing, withAudit } from '../../src/index.ts'
import type { ReaderLog } from '../../src/reader/reader-log.ts'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, until, untilReadable, write } from '../reader/readers.ts'
import { createClient, createDatabase } from '../support/database.ts'
import { leavesOf, newKey, origin, signerOf } from './seals.ts'

const seed = Number(process.env.PROOF_SEED ?? Date.now() % 1_000_000)

/** Transactions of one session: short and long, with savepoints, of which some are rolled back. */
async function writeAtRandom(client: pg.PoolClient, writer: number, transactions: number): Promise<void> {
  let state = seed + writer
  const random = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % limit
  }
  for (let transaction = 0; transaction < transactions; transaction++) {
    const isLong = random(6) === 0
    await client.query('BEGIN')
    for (let step = 0; step < 1 + random(4); step++) {
      const isSaved = random(3) === 0
      if (isSaved) await client.query('SAVEPOINT s')
      await write(client, `w${writer}.t${transaction}`)
      if (isSaved) await client.query(random(2) === 0 ? 'ROLLBACK TO SAVEPOINT s' : 'RELEASE SAVEPOINT s')
      if (isLong) await sleep(random(100))
    }
    await client.query(random(4) === 0 ? 'ROLLBACK' : 'COMMIT')
  }
}

it(`every committed row is in exactly one leaf, whatever runs meanwhile (PROOF_SEED=${seed})`, {
  timeout: 120_000,
}, async () => {
  const database = await createDatabase()
  const prisma = withAudit(createClient(database.url))
  const key = newKey()
  const options = { key: { environment: key.environment }, origin, every: 20 }
  const errors: unknown[] = []
  const sealings = await Promise.all(
    [1, 2].map(() => startSealing(prisma, { ...options, onError: (error) => errors.push(error) })),
  )
  const pool = new pg.Pool({ connectionString: database.url, max: 16 })
  const clients = await Promise.all(Array.from({ length: 16 }, () => pool.connect()))
  await Promise.all(clients.map((client, writer) => writeAtRandom(client, writer, 20)))
  for (const client of clients) client.release()
  await pool.end()
  await write(database.pool, 'the.last')
  const log = logOf(database)
  const committed = await database.sql<{ id: string }>(
    `SELECT replace(id::text, '-', '') AS id FROM audit_logs ORDER BY transaction_id, seq`,
  )
  await until(
    async () => (await leavesOf(database, log)).length >= committed.length,
    'every entry should be sealed',
  )
  await Promise.all(sealings.map((sealing) => sealing.stop()))
  expect((await leavesOf(database, log)).map(({ id }) => id)).toEqual(committed.map(({ id }) => id))
  expect(errors).toEqual([])
  const metrics = sealings.map((sealing) => sealing.metrics())
  expect(metrics.reduce((sum, { entries }) => sum + entries, 0)).toBe(committed.length)
  const verified = await verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin })
  expect(verified).toMatchObject({ ok: true, entries: committed.length })
})

it('verify finds nothing in a log that is sealed on meanwhile', async () => {
  const database = await createDatabase()
  const log = logOf(database)
  const key = newKey()
  const sealer = new Sealer(log, await signerOf(key))
  const add = async () => {
    await database.sql(`INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type)
      SELECT gen_random_uuid(), 'x', 'ada', 'user', 'x' FROM generate_series(1, 300)`)
    await untilReadable(database)
    await sealer.step()
  }
  await add()
  let statements = 0
  const busy: ReaderLog = {
    table: log.table,
    connection: {
      query: async (sql, ...values) => {
        if (statements++ < 12) await add()
        return log.connection.query(sql, ...values)
      },
    },
  }
  const verified = await verifyLog(busy, { keys: [parseVerifierKey(key.publicKey)], origin })
  expect(verified).toMatchObject({ ok: true, findings: [] })
  expect(verified.entries).toBeGreaterThan(300)
})
