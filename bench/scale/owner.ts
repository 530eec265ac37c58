import pg from 'pg'
import { ownedLog } from '../../src/retention/owned-log.ts'

/** Works on the log of a database as its owner does, without a client of Prisma. */
export async function withOwner<T>(
  url: string,
  work: (log: ReturnType<typeof ownedLog>) => Promise<T>,
): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {})
  const connectionOf = (to: Pick<pg.Pool, 'query'>) => ({
    query: async <Row>(sql: string, ...values: readonly unknown[]) =>
      (await to.query(sql, [...values])).rows as Row[],
  })
  const transaction = async <R>(inside: (connection: ReturnType<typeof connectionOf>) => Promise<R>) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      return await inside(connectionOf(client))
    } finally {
      await client.query('ROLLBACK').catch(() => {})
      client.release()
    }
  }
  try {
    return await work(
      ownedLog({ table: { name: 'audit_logs' }, connection: connectionOf(pool), transaction }),
    )
  } finally {
    await pool.end()
  }
}
