import { afterAll } from 'vitest'
import { type EmbeddedServer, startEmbedded } from '../../scripts/postgres.ts'
import { type Database, openDatabase } from '../support/database.ts'
import { createTables } from '../support/server.ts'

/** A server of the test file's own, to be killed and filled up, with the tables of the test schema. */
export async function startOwnServer(
  settings: Record<string, string> = {},
): Promise<{ server: EmbeddedServer; database: Database }> {
  const version = (process.env.POSTGRES_VERSION ?? '18') as Parameters<typeof startEmbedded>[0]
  const server = await startEmbedded(version, settings)
  const database = openDatabase(server.url)
  afterAll(async () => {
    await database.pool.end()
    await server.stop()
  })
  await createTables(server.url)
  return { server, database }
}

/** How many times as long the long tests run: 1 in `npm test`; `npm run test:proof` sets `PROOF_FACTOR`. */
export const proofFactor = Number(process.env.PROOF_FACTOR ?? 1)

/** What the writers choose; printed with the tests' names, and set by `PROOF_SEED`. */
export const proofSeed = Number(process.env.PROOF_SEED ?? Date.now() % 1_000_000)
