import { PrismaPg } from '@prisma/adapter-pg'
import { type ClientName, createClients, disconnect } from './clients.ts'
import { type BenchDatabase, insertProducts, resetTables } from './database.ts'
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
  readonly statement: number
  readonly triggers: number
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
  'transaction of ten writes': workloads.tenWrites,
}

/** How many statements an operation sends, plain and audited: the audit may not add one. */
export async function countStatements(database: BenchDatabase): Promise<StatementCount[]> {
  const clients = createClients(database, (url) => new CountingPg({ connectionString: url }))
  const poolOf = (name: ClientName) => (name === 'triggers' ? database.watched.pool : database.pool)
  try {
    for (const pool of [database.pool, database.watched.pool]) await resetTables(pool)
    // the first write of a client reads the catalog, and the first one to a table what it needs of that table
    for (const name of ['plain', 'statement', 'triggers'] as const) {
      await insertProducts(poolOf(name), 1, -1)
      await workloads.create(clients[name], poolOf(name)).call()
      await workloads.nestedCreate(clients[name], poolOf(name)).call()
    }
    const results: StatementCount[] = []
    for (const [name, workload] of Object.entries(counted)) {
      const of = async (client: ClientName) => {
        const { prepare, call } = workload(clients[client], poolOf(client))
        await prepare(1)
        CountingPg.statements = 0
        await call()
        return CountingPg.statements
      }
      const [plain, statement, triggers] = [await of('plain'), await of('statement'), await of('triggers')]
      results.push({ name, plain, statement, triggers, isMet: statement === plain && triggers === plain })
    }
    return results
  } finally {
    await disconnect(clients)
  }
}
