import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Database } from './database.ts'

/** Another application on the same database, inside a transaction that it ends itself. */
export async function otherTransaction<T>(
  { pool }: Database,
  work: (other: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const other = await pool.connect()
  try {
    await other.query('BEGIN')
    return await work(other)
  } finally {
    await other.query('ROLLBACK') // nothing, where it has committed
    other.release()
  }
}

/** Resolves when `count` connections of the database wait for a lock. */
export async function untilWaiting({ sql }: Database, count = 1): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const waiting = await sql(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (waiting.length >= count) return
    await sleep(10)
  }
  throw new Error(`${count} connections should wait for a lock by now`)
}
