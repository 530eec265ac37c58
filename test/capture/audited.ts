import { PrismaPg } from '@prisma/adapter-pg'
import { afterAll } from 'vitest'
import { type AuditOptions, withAudit } from '../../src/index.ts'
import { PrismaClient } from '../generated/client/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { emptyTables } from '../support/empty-tables.ts'
import {
  expectEntriesToMatchOracle,
  installOracle,
  markOracle,
  type OracleOptions,
} from '../support/oracle.ts'
import { type Recorded, recorded } from '../support/recorded.ts'

/** An audited client on a database of its own, where an oracle writes every row change down. */
export async function createAudited(
  options: AuditOptions<PrismaClient> & { setUp?: string; oracle?: OracleOptions } = {},
) {
  const { setUp, oracle, ...auditOptions } = options
  const db = await createDatabase()
  if (setUp) await db.sql(setUp)
  await installOracle(db)
  const adapter = new PrismaPg({ connectionString: db.url })
  const prisma = withAudit(new PrismaClient({ adapter }), auditOptions)
  afterAll(() => prisma.$disconnect())
  return { db, prisma, recordedBy: recorder(db, oracle), empty: () => emptyTables(db) }
}

/** Runs `work`, asserts that its changes' entries are what the oracle saw, and gives them in order. */
export function recorder(db: Database, oracle: OracleOptions = {}) {
  return async (work: () => PromiseLike<unknown>): Promise<Recorded[]> => {
    const since = await markOracle(db)
    await work()
    await expectEntriesToMatchOracle(db, since, oracle)
    return (await db.changes(since.seq)).map(recorded)
  }
}
