import type pg from 'pg'
import { type ReaderLog, readerLog } from '../../src/reader/reader-log.ts'
import type { Database } from '../support/database.ts'

/** The log of a database, as readers see it, without a client of Prisma. */
export function logOf({ pool }: Database, name = 'audit_logs'): ReaderLog {
  return readerLog({
    options: { table: { name } },
    connection: {
      query: async <Row>(sql: string, ...values: readonly unknown[]) =>
        (await pool.query(sql, [...values])).rows as Row[],
    },
  })
}

/** Writes one entry, known by its action; in an open transaction, where the client has one. */
export async function write(client: Pick<pg.Pool, 'query'>, action: string, details: unknown = null) {
  await client.query(
    `INSERT INTO audit_logs (id, action, actor_id, actor_type, resource_type, details)
     VALUES (gen_random_uuid(), $1, 'ada', 'user', 'test', $2)`,
    [action, details],
  )
}

/** Resolves once it holds; the message says what should. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}, by now`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Resolves once all that is committed now can be read. Other tests' transactions hold the horizon, which is the cluster's. */
export async function untilReadable({ sql }: Database): Promise<void> {
  const next = await nextTransaction(sql)
  const reached = async () => {
    const [row] = await sql<{ is: boolean }>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8 AS is',
      [next],
    )
    return row?.is === true
  }
  await until(reached, 'all that is committed should be below the horizon')
}

/** The same, but for transactions that the test at hand has open: these hold the horizon still. */
export async function untilOthersEnd({ sql }: Database): Promise<void> {
  const next = await nextTransaction(sql)
  const ended = async () => {
    const [row] = await sql<{ is: boolean }>(
      `SELECT NOT EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()) AS running WHERE running < $1::text::xid8
         AND NOT EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datname = current_database()
           AND a.backend_type = 'client backend' AND a.backend_xid = running::xid)) AS is`,
      [next],
    )
    return row?.is === true
  }
  await until(ended, 'transactions of other tests should have ended')
}

async function nextTransaction(sql: Database['sql']): Promise<string> {
  const [{ next = '' } = {}] = await sql<{ next: string }>(
    'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next',
  )
  return next
}
