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
