import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase, type Database, type Entry } from '../support/database.ts'
import { expectEntriesToMatchOracle, installOracle, markOracle, type OracleOptions } from '../support/oracle.ts'

/** An audited client on a database of its own, where an oracle records every row change. */
export async function createAudited(options: AuditOptions<PrismaClient> = {}, setUp?: string) {
  const db = await createDatabase()
  if (setUp) await db.sql(setUp)
  await installOracle(db)
  const prisma = withAudit(new PrismaClient({ adapter: new PrismaPg({ connectionString: db.url }) }), options)
  afterAll(() => prisma.$disconnect())
  return { db, prisma, recordedBy: recorder(db) }
}

/** An entry without what is different in every run. */
export interface Recorded {
  action: string
  id: string | null
  [detail: string]: unknown
}

/**
 * Runs `work` and gives the entries that it wrote, in order: `action`, `id` (of the resource) and the details.
 * Asserts that they are what the oracle saw.
 */
export function recorder(db: Database, oracle: OracleOptions = {}) {
  return async (work: () => PromiseLike<unknown>): Promise<Recorded[]> => {
    const since = await markOracle(db)
    await work()
    await expectEntriesToMatchOracle(db, since, oracle)
    return (await db.entries(since.seq)).map(recorded)
  }
}

export function recorded({ action, resource_id: id, details }: Entry): Recorded {
  return { action, id, ...details }
}
