import { join } from 'node:path'
import { type Server, startServer } from '../../scripts/postgres.ts'
import { applyMigrations } from '../../scripts/schema-engine.ts'

/**
 * A database for an example: `DATABASE_URL` if it is set (with the migrations applied by `npx prisma migrate deploy`),
 * else a PostgreSQL of its own that goes when the example stops.
 */
export async function startDatabase(example: string): Promise<Server> {
  const server = await startServer()
  if (!process.env.DATABASE_URL) {
    await applyMigrations(server.url, join(import.meta.dirname, '..', example, 'prisma', 'migrations'))
  }
  return server
}

/** Says where the application listens, and ends it on Ctrl-C: the server, then the client, then the database. */
export function untilStopped(url: string, ...closing: (() => Promise<unknown> | unknown)[]): void {
  process.stdout.write(`Listening on ${url}\n`)
  const stop = async () => {
    for (const close of closing) await close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}
