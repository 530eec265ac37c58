import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withAudit } from '../../src/index.ts'
import { createPartitioned, fillMonths } from '../partitions/partitioned.ts'
import { until, untilReadable } from '../reader/readers.ts'
import { createClient, type Database } from '../support/database.ts'
import { maintainBy, temporaryArchive } from './retained.ts'

/** What a month that leaves waits for at a time, and others behind it, in milliseconds. */
const lockTimeout = 200

/** A month leaves in a transaction of its own once it has the lock; and this machine may be busy. */
const leaving = 800

/** Milliseconds that sessions have waited for a lock at once, at most, as far as somebody who looks all the time sees. */
async function watchWaits(db: Database, signal: AbortSignal): Promise<number> {
  let longest = 0
  while (!signal.aborted) {
    const [row] = await db.sql<{ waited: number | null }>(
      // whoever tries to take the log for himself is not meant: he gives up and tries again
      `SELECT max(extract(epoch FROM clock_timestamp() - waitstart) * 1000)::float8 AS waited FROM pg_locks
       WHERE NOT granted AND mode <> 'AccessExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND relation = 'audit_logs'::regclass`,
    )
    longest = Math.max(longest, row?.waited ?? 0)
    await sleep(5)
  }
  return longest
}

/** Resolves once somebody waits for the log to be his own. */
async function untilWaitedFor(db: Database): Promise<void> {
  const isWaitedFor = async () =>
    (
      await db.sql(
        `SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'audit_logs'::regclass
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      )
    ).length > 0
  await until(isWaitedFor, 'the log should be waited for')
}

describe('while eight clients write and one reads for long', { timeout: 120_000 }, () => {
  it('months leave: nobody fails, nothing is lost, and nobody waits longer than a lock may be waited for', async () => {
    const db = await createPartitioned()
    await fillMonths(db, 4, 4_000)
    await untilReadable(db)
    const { archive } = await temporaryArchive()
    const prisma = withAudit(createClient(db.url, { max: 9 }))
    const [before] = await db.sql<{ entries: number }>('SELECT count(*)::int AS entries FROM audit_logs')

    const over = new AbortController()
    let written = 0
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      while (!over.signal.aborted) {
        const name = `${writer} ${written++}`
        if (writer % 2 === 0) await prisma.tag.create({ data: { name } })
        else await prisma.$audit.record({ action: 'test.event', resource: { type: 'test', id: name } })
      }
    })
    const waits = watchWaits(db, over.signal)
    // holds a lock on every partition for longer than anybody is to wait
    const reader = await db.pool.connect()
    await reader.query('BEGIN')
    await reader.query('SELECT count(*) FROM audit_logs')
    const reading = untilWaitedFor(db)
      .then(() => sleep(1_500))
      .then(() => reader.query('COMMIT'))

    const actions = await maintainBy(db, { default: '2 months', archive })
    await reading
    reader.release()
    over.abort()
    await Promise.all(writers)
    await prisma.$disconnect()

    const retired = actions.filter(({ action }) => action === 'retire')
    const gone = retired.reduce((sum, { entries = 0 }) => sum + entries, 0)
    expect(retired.length).toBeGreaterThan(0)
    const [after] = await db.sql<{ entries: number; writes: number; seqs: number }>(
      `SELECT count(*)::int AS entries, count(DISTINCT seq)::int AS seqs,
        count(*) FILTER (WHERE action IN ('tag.create', 'test.event'))::int AS writes FROM audit_logs`,
    )
    expect(after?.writes).toBe(written)
    expect(after?.entries).toBe((before?.entries ?? 0) - gone + written + retired.length)
    expect(after?.seqs).toBe(after?.entries)
    const longest = await waits
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(lockTimeout + leaving)
  })
})
