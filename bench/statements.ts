import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { createPair } from './clients.ts'
import { insertProducts } from './database.ts'
import type { PrismaClient } from './generated/client/client.ts'
import * as workloads from './workloads.ts'

/** Counts the statements that reach the driver: below the audit, so its own are counted too. */
class CountingPg extends PrismaPg {
  static statements = 0

  override async connect() {
    const adapter = await super.connect()
    count(adapter)
    const startTransaction = adapter.startTransaction.bind(adapter)
    adapter.startTransaction = async (isolationLevel) => {
      CountingPg.statements += 1 // BEGIN
      const transaction = await startTransaction(isolationLevel)
      count(transaction)
      return transaction
    }
    return adapter
  }
}

function count(connection: Pick<Awaited<ReturnType<PrismaPg['connect']>>, 'queryRaw' | 'executeRaw'>): void {
  const queryRaw = connection.queryRaw.bind(connection)
  const executeRaw = connection.executeRaw.bind(connection)
  connection.queryRaw = (query) => {
    CountingPg.statements += 1
    return queryRaw(query)
  }
  connection.executeRaw = (query) => {
    CountingPg.statements += 1
    return executeRaw(query)
  }
}

export interface StatementCount {
  readonly name: string
  readonly plain: number
  readonly audited: number
  readonly isMet: boolean
}

const counted = {
  create: workloads.create,
  update: workloads.update,
  delete: workloads.remove,
  upsert: workloads.upsert,
  'createMany, 1,000 rows': workloads.createMany(1_000),
  'updateMany, 1,000 rows': workloads.updateMany,
  'deleteMany, 1,000 rows': workloads.deleteMany,
  'nested create, 1 + 3 rows': workloads.nestedCreate,
}

/** How many statements an operation sends, plain and audited: the audit may not add one. */
export async function countStatements(url: string, pool: pg.Pool): Promise<StatementCount[]> {
  const pair = createPair(() => new CountingPg({ connectionString: url }))
  try {
    await insertProducts(pool, 1, -1)
    // the first write of a client reads the catalog, once
    for (const client of [pair.plain, pair.audited]) await workloads.create(client, pool).call()
    const results: StatementCount[] = []
    for (const [name, workload] of Object.entries(counted)) {
      const of = async (client: PrismaClient) => {
        const { prepare, call } = workload(client, pool)
        await prepare(1)
        CountingPg.statements = 0
        await call()
        return CountingPg.statements
      }
      const [plain, audited] = [await of(pair.plain), await of(pair.audited)]
      results.push({ name, plain, audited, isMet: audited === plain })
    }
    return results
  } finally {
    await pair.disconnect()
  }
}
