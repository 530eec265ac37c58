import { join } from 'node:path'
import { type Server, startServer } from '../../scripts/postgres.ts'
import { applyMigrations } from '../../scripts/schema-engine.ts'

/**
 * A database for an example: `DATABASE_URL` if it is set (with the migrations applied by `npx prisma migrate deploy`),
 * else a PostgreSQL of its own that goes when the example stops.
 *
 * @param writeHistory fills the tables and the log of a database of its own, before triggers record the tables
 */
export async function startDatabase(
  example: string,
  writeHistory: (url: string) => Promise<void>,
): Promise<Server> {
  const server = await startServer()
  if (!process.env.DATABASE_URL) {
    const migrations = join(import.meta.dirname, '..', example, 'prisma', 'migrations')
    await applyMigrations(server.url, migrations, (name) => name < firstOfTriggers)
    await writeHistory(server.url)
    await applyMigrations(server.url, migrations)
  }
  return server
}

/** The migration that has triggers record the tables. */
const firstOfTriggers = '20260301000000_audit_triggers'

/** Says where the application listens and who can sign in, and ends it on Ctrl-C: the server, then the client, then the database. */
export function untilStopped(
  url: string,
  account: { readonly name: string; readonly password: string },
  ...closing: (() => Promise<unknown> | unknown)[]
): void {
  process.stdout.write(
    `Listening on ${url}\nThe log is at ${url}/audit. Sign in as ${account.name} with the password "${account.password}".\n`,
  )
  const stop = async () => {
    for (const close of closing) await close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}
