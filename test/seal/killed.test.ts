import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, it } from 'vitest'
import { parseVerifierKey } from '../../src/seal/keys.ts'
import { verifyLog } from '../../src/seal/verify/verify-log.ts'
import { logOf, until, write } from '../reader/readers.ts'
import { bundledScript } from '../support/bundled-script.ts'
import { createDatabase } from '../support/database.ts'
import { leavesOf, newKey, origin, sealAll, signerOf } from './seals.ts'

it('whoever seals is killed, again and again, while others write: every committed row is in exactly one leaf', {
  timeout: 60_000,
}, async () => {
  const script = await bundledScript(new URL('sealing-process.ts', import.meta.url))
  const database = await createDatabase()
  const log = logOf(database)
  const key = newKey()
  const pool = new pg.Pool({ connectionString: database.url, max: 8 })
  let isOver = false
  const writer = async (number: number) => {
    for (let transaction = 0; !isOver; transaction++) {
      const client = await pool.connect()
      await client.query('BEGIN')
      for (let step = 0; step <= transaction % 3; step++) await write(client, `w${number}.t${transaction}`)
      await client.query(transaction % 4 === 0 ? 'ROLLBACK' : 'COMMIT')
      client.release()
      await sleep(5)
    }
  }
  const writers = Array.from({ length: 8 }, (_, number) => writer(number))

  const sizes: number[] = []
  for (const moment of ['before it is stored', 'while it is stored', 'once it is stored']) {
    const child = spawn(process.execPath, [script, database.url, key.environment, origin, moment], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [, signal] = await once(child, 'exit')
    expect(signal).toBe('SIGKILL')
    sizes.push((await leavesOf(database, log)).length)
  }
  isOver = true
  await Promise.all(writers)
  await pool.end()
  expect(sizes, 'each of them sealed something').toEqual([...new Set(sizes)].sort((a, b) => a - b))

  await write(database.pool, 'the.last')
  const committed = await database.sql<{ id: string }>(
    `SELECT replace(id::text, '-', '') AS id FROM audit_logs ORDER BY transaction_id, seq`,
  )
  const signer = await signerOf(key)
  await until(async () => {
    await sealAll(log, signer)
    return (await leavesOf(database, log)).length >= committed.length
  }, 'every entry should be sealed')
  expect((await leavesOf(database, log)).map(({ id }) => id)).toEqual(committed.map(({ id }) => id))
  const verified = await verifyLog(log, { keys: [parseVerifierKey(key.publicKey)], origin })
  expect(verified).toMatchObject({ ok: true, entries: committed.length })
})
