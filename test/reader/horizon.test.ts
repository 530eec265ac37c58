import pg from 'pg'
import { expect, inject, it } from 'vitest'
import { readHorizon } from '../../src/reader/horizon.ts'
import { createDatabase } from '../support/database.ts'
import { databaseUrl } from '../support/server.ts'
import { logOf, write } from './readers.ts'

const database = await createDatabase()
const other = await createDatabase()
const log = logOf(database)

/** Transactions of other tests hold it, too, and end. */
async function untilHorizon(expected: object): Promise<void> {
  await expect.poll(() => readHorizon(log), { timeout: 20_000 }).toMatchObject(expected)
}

it('nobody holds it where no transaction has written', async () => {
  await write(database.pool, 'done.before')
  await untilHorizon({ holder: null, waitingEntries: 0 })
})

it('a transaction of another database holds it, and is named', async () => {
  const url = new URL(databaseUrl(inject('serverUrl'), new URL(other.url).pathname.slice(1)))
  url.searchParams.set('application_name', 'nightly import')
  const client = new pg.Client(url.toString())
  await client.connect()
  try {
    await client.query('BEGIN')
    await write(client, 'never.committed')
    const [{ pid, since } = { pid: 0, since: '' }] = (
      await client.query<{ pid: number; since: string }>(
        `SELECT pg_backend_pid() AS pid, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since`,
      )
    ).rows
    await write(database.pool, 'done.later')
    const holder = {
      ...{ kind: 'session', pid, gid: null, application: 'nightly import', user: url.username },
      ...{ database: url.pathname.slice(1), since },
    }
    await untilHorizon({ waitingEntries: 1, holder })
  } finally {
    await client.query('ROLLBACK')
    await client.end()
  }
})

it('a prepared transaction holds it, without a session, and is named', async ({ skip }) => {
  const [row] = await database.sql<{ allowed: string }>(
    `SELECT current_setting('max_prepared_transactions') AS allowed`,
  )
  if (row?.allowed === '0') return skip('this server allows no prepared transactions')
  const client = await database.pool.connect()
  await client.query('BEGIN')
  await write(client, 'prepared.entry')
  await client.query(`PREPARE TRANSACTION 'forgotten'`)
  client.release()
  try {
    await untilHorizon({
      holder: {
        ...{ kind: 'prepared', pid: null, gid: 'forgotten' },
        database: new URL(database.url).pathname.slice(1),
        since: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    })
  } finally {
    await database.sql(`ROLLBACK PREPARED 'forgotten'`)
  }
})
