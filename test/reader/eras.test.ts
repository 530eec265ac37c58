import { beforeEach, describe, expect, it } from 'vitest'
import { readCommitted } from '../../src/reader/committed-entries.ts'
import { ConsumerLease } from '../../src/reader/consumer.ts'
import { type ReaderCursor, startOf } from '../../src/reader/cursor.ts'
import { readPosition } from '../../src/reader/eras.ts'
import { createDatabase } from '../support/database.ts'
import { migration } from '../support/migration.ts'
import { logOf, untilReadable, write } from './readers.ts'

const database = await createDatabase()
const log = logOf(database)

/** An empty log that nobody has read. Prisma's own `migrate reset` leaves the tables of readers as they are. */
async function reset({ isForgotten }: { isForgotten: boolean }) {
  await database.sql(`DROP TABLE audit_logs CASCADE; ${migration}`)
  if (isForgotten) {
    await database.sql('TRUNCATE audit_logs_internal.eras, audit_logs_internal.consumers')
  }
}

/** Entries as another server wrote them, with its transaction ids. */
async function restore(...transactions: bigint[]) {
  for (const id of transactions) {
    await database.sql(
      `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, transaction_id)
       VALUES (gen_random_uuid(), 'foreign.' || $1, 'ada', 'user', 'test', $1::text::bigint)`,
      [String(id)],
    )
  }
}

async function readOn(after: ReaderCursor): Promise<{ actions: string[]; cursor: ReaderCursor }> {
  const actions: string[] = []
  let cursor = after
  for await (const { rows, until } of readCommitted(log, after)) {
    actions.push(...rows.map(({ action }) => action))
    cursor = until
  }
  return { actions, cursor }
}

/** A consumer that has done all so far. */
async function consumeAll(name = 'sink') {
  await untilReadable(database)
  const position = await readPosition(log)
  const lease = new ConsumerLease(log, position, name)
  await lease.add(position, 'beginning')
  let consumer = await lease.take(60_000)
  if (!consumer) throw new Error('the lease should be free')
  const actions: string[] = []
  for await (const { rows, until } of readCommitted(log, consumer.cursor)) {
    actions.push(...rows.map(({ action }) => action))
    consumer = await lease.begin(consumer, until, rows.length)
    const highest = rows.map(({ seq }) => BigInt(seq)).reduce((a, b) => (a > b ? a : b))
    consumer = await lease.acknowledge(consumer, highest, undefined)
  }
  await lease.release()
  return actions
}

const numbers = async () => (await readPosition(log)).eras.map(({ number, afterSeq }) => [number, afterSeq])

/** As a log that was written by another server looks to this one. */
const movedHere = () =>
  database.sql('UPDATE audit_logs_internal.eras SET system_identifier = system_identifier - 1')

beforeEach(() => reset({ isForgotten: true }))

describe('a log that was always here', () => {
  it('has one era, also where two begin it at once', async () => {
    await write(database.pool, 'a.b')
    const positions = await Promise.all([readPosition(log), readPosition(log), readPosition(log)])
    expect(new Set(positions.map(({ eras }) => eras[0].id)).size).toBe(1)
    expect(await numbers()).toEqual([[1, 0n]])
    const [{ systemIdentifier, timeline }] = (await readPosition(log)).eras
    expect(await database.sql('SELECT system_identifier::text AS id FROM pg_control_system()')).toEqual([
      { id: systemIdentifier },
    ])
    expect(timeline).toBe(1)
  })
})

describe('a log that was moved to another server, where transaction ids are lower', () => {
  const far = 9_000_000_000n

  it('is read on in a new era: what is old without waiting for its ids, then what is new', async () => {
    await restore(far, far + 1n)
    expect(await numbers()).toEqual([
      [1, 0n],
      [2, 2n],
    ])
    await write(database.pool, 'native.1')
    await untilReadable(database)
    expect((await readOn(startOf(1))).actions).toEqual([`foreign.${far}`, `foreign.${far + 1n}`, 'native.1'])
  })

  it('is begun by new entries before any reader looks, and none of them is skipped', async () => {
    await write(database.pool, 'old.1')
    await consumeAll()
    await database.sql(
      `UPDATE audit_logs_internal.consumers SET transaction_id = ${far}; ALTER TABLE audit_logs DISABLE TRIGGER ALL;
       UPDATE audit_logs SET transaction_id = ${far}`,
    )
    await movedHere()
    await write(database.pool, 'native.1')
    await write(database.pool, 'native.2')
    expect(await consumeAll()).toEqual(['native.1', 'native.2'])
    expect(await numbers()).toEqual([
      [1, 0n],
      [2, 1n],
    ])
  })

  it('has old entries that nobody had read yet, which come first', async () => {
    await write(database.pool, 'old.1')
    await consumeAll()
    await movedHere()
    await restore(far)
    await write(database.pool, 'native.1')
    expect(await consumeAll()).toEqual([`foreign.${far}`, 'native.1'])
  })

  it('is refused while its sequence would give numbers that old entries have', async () => {
    await restore(far, far + 1n)
    await database.sql('ALTER SEQUENCE audit_logs_seq_seq RESTART WITH 1')
    await write(database.pool, 'native.1')
    await expect(readPosition(log)).rejects.toMatchObject({
      code: 'AUDIT_ERA_UNCLEAR',
      message: expect.stringContaining(`SELECT setval('public.audit_logs_seq_seq'`),
    })
  })

  it('is refused while logical replication still writes to it', async () => {
    await restore(far)
    // as CREATE SUBSCRIPTION leaves it, without a server to connect to
    const name = new URL(database.url).pathname.slice(1)
    await database.sql(
      `CREATE SUBSCRIPTION ${name} CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false)`,
    )
    try {
      await database.sql(
        `INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'audit_logs'::regclass, 'r' FROM pg_subscription WHERE subname = $1`,
        [name],
      )
      await expect(readPosition(log)).rejects.toMatchObject({
        code: 'AUDIT_ERA_UNCLEAR',
        message: expect.stringContaining('Logical replication'),
      })
    } finally {
      await database.sql('DELETE FROM pg_subscription_rel')
      await database.sql(`DROP SUBSCRIPTION ${name}`)
    }
    await untilReadable(database)
    expect((await readOn(startOf(1))).actions).toEqual([`foreign.${far}`])
  })
})

describe('a log of the same server', () => {
  it('that migrate reset emptied is read on from its first new entry', async () => {
    for (const n of [1, 2, 3]) await write(database.pool, `old.${n}`)
    await consumeAll()
    await reset({ isForgotten: false })
    await write(database.pool, 'new.1')
    expect(await consumeAll()).toEqual(['new.1'])
    expect(await numbers()).toEqual([
      [1, 0n],
      [2, 0n],
    ])
  })

  it('after a failover has a new era, and what a transaction prepared before it commits later', async () => {
    const [row] = await database.sql<{ allowed: string }>(
      `SELECT current_setting('max_prepared_transactions') AS allowed`,
    )
    if (row?.allowed === '0') return
    const client = await database.pool.connect()
    await client.query('BEGIN')
    await write(client, 'prepared.1')
    await client.query(`PREPARE TRANSACTION 'before_failover'`)
    client.release()
    await write(database.pool, 'old.1')
    await readPosition(log)
    await database.sql('UPDATE audit_logs_internal.eras SET timeline = timeline - 1')
    expect((await readPosition(log)).eras).toHaveLength(2)
    await write(database.pool, 'new.1')
    expect((await readOn(startOf(1))).actions).toEqual([])
    await database.sql(`COMMIT PREPARED 'before_failover'`)
    await untilReadable(database)
    expect((await readOn(startOf(1))).actions).toEqual(['prepared.1', 'old.1', 'new.1'])
  })

  it('whose consumers are ahead of it has a new era, where the server is not known', async () => {
    await write(database.pool, 'old.1')
    await consumeAll()
    await database.sql(
      'UPDATE audit_logs_internal.eras SET system_identifier = NULL, timeline = NULL, table_oid = NULL',
    )
    await database.sql(`UPDATE audit_logs_internal.consumers SET transaction_id = transaction_id + 1000000`)
    await write(database.pool, 'new.1')
    expect(await consumeAll()).toEqual(['new.1'])
  })
})
