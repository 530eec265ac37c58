/**
 * The parts of Prisma's driver adapters that the tap uses, as structural types: any adapter for PostgreSQL fits, and
 * none is a dependency.
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

/** Whether statements run on a pool, rather than inside an open transaction. */
export function isPool(connection: Connection | AdapterLike): connection is AdapterLike {
  return 'startTransaction' in connection
}

/** One of our own statements, without parameters. */
export function plain(sql: string): SqlQuery {
  return { sql, args: [], argTypes: [] }
}

/** One of our own statements; its casts give the values their types. */
export function queryOf(sql: string, values: readonly unknown[]): SqlQuery {
  const argTypes = values.map((value) => ({
    scalarType: 'string',
    arity: Array.isArray(value) ? ('list' as const) : ('scalar' as const),
  }))
  return { sql, args: [...values], argTypes }
}

/**
 * Runs `work` inside a transaction: a new one on a pool, or the open one that `connection` already is. Commits and
 * rolls back as Prisma does: by its own SQL, unless the adapter sends it.
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

/** A failed rollback means a lost connection, which rolls back by itself; the first error says more. */
async function rollBack(transaction: TransactionLike, sendsItself: boolean): Promise<void> {
  try {
    if (!sendsItself) await transaction.executeRaw(plain('ROLLBACK'))
  } catch {
    // the connection is lost, and the transaction with it
  } finally {
    await transaction.rollback()
  }
}

/** Runs `work` in an open transaction; if it fails, the transaction is as before. */
export async function withSavepoint<T>(transaction: Connection, work: () => Promise<T>): Promise<T> {
  await transaction.executeRaw(plain('SAVEPOINT audit_attempt'))
  try {
    const result = await work()
    await transaction.executeRaw(plain('RELEASE SAVEPOINT audit_attempt'))
    return result
  } catch (error) {
    await transaction.executeRaw(plain('ROLLBACK TO SAVEPOINT audit_attempt'))
    throw error
  }
}
