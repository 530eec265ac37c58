/**
 * The parts of Prisma's driver adapters that the tap touches, structurally, so that any adapter for PostgreSQL
 * fits and none is a dependency.
 */
export interface SqlQuery {
  sql: string
  args: unknown[]
  argTypes: ArgumentType[]
}

export interface ArgumentType {
  scalarType: string
  arity: 'scalar' | 'list'
}

export interface SqlResult {
  columnNames: string[]
  columnTypes: number[]
  rows: unknown[][]
}

/** What runs statements: the pool behind a client, or one open transaction. */
export interface Connection {
  queryRaw(query: SqlQuery): Promise<SqlResult>
  executeRaw(query: SqlQuery): Promise<number>
}

export interface TransactionLike extends Connection {
  readonly options: { usePhantomQuery: boolean }
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface AdapterLike extends Connection {
  startTransaction(isolationLevel?: unknown): Promise<TransactionLike>
  getConnectionInfo?(): { schemaName?: string | undefined }
}

export interface AdapterFactoryLike {
  readonly provider: string
  readonly adapterName: string
  connect(): Promise<AdapterLike>
}

/** Whether statements run on a pool, and not inside one open transaction. */
export function isPool(connection: Connection | AdapterLike): connection is AdapterLike {
  return 'startTransaction' in connection
}

/** A statement of our own without parameters. */
export function plain(sql: string): SqlQuery {
  return { sql, args: [], argTypes: [] }
}

/** A statement of our own, which says in its casts what the values are. */
export function queryOf(sql: string, values: readonly unknown[]): SqlQuery {
  const argTypes = values.map((value) => ({
    scalarType: 'string',
    arity: Array.isArray(value) ? ('list' as const) : ('scalar' as const),
  }))
  return { sql, args: [...values], argTypes }
}

/**
 * Runs `work` inside a transaction: a new one on a pool, or the open one that `connection` already is. Commits and
 * rolls back as Prisma does, with SQL of its own unless the adapter sends it.
 */
export async function inTransaction<T>(
  connection: Connection | AdapterLike,
  work: (transaction: Connection) => Promise<T>,
): Promise<T> {
  if (!isPool(connection)) return work(connection)
  const transaction = await connection.startTransaction()
  const sendsItself = transaction.options.usePhantomQuery
  try {
    const result = await work(transaction)
    if (!sendsItself) await transaction.executeRaw(plain('COMMIT'))
    await transaction.commit()
    return result
  } catch (error) {
    await rollBack(transaction, sendsItself)
    throw error
  }
}

/** A roll-back that fails means a lost connection, which rolls back by itself; the first error tells more. */
async function rollBack(transaction: TransactionLike, sendsItself: boolean): Promise<void> {
  try {
    if (!sendsItself) await transaction.executeRaw(plain('ROLLBACK'))
  } catch {
    // the connection is gone, and the transaction with it
  } finally {
    await transaction.rollback()
  }
}
