import { withAudit } from '../../src/index.ts'
import { createClient, type Database } from '../support/database.ts'

/** An audited client whose pool has one connection, as behind PgBouncer or in a serverless function. */
export function clientWithOneConnection({ url }: Database) {
  return withAudit(createClient(url, { max: 1, connectionTimeoutMillis: 5_000 }))
}
