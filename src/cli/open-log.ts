import type { ReadableLog } from '../log/log.ts'
import { questionsTo } from '../log/readable.ts'
import { StoredModels } from '../models/stored-models.ts'
import { configuredArchive } from '../parquet/archived-entries.ts'
import { inTransaction } from '../postgres/connection.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { type ReaderLog, readerLog } from '../reader/reader-log.ts'
import { type OwnedLog, ownedLog } from '../retention/owned-log.ts'
import { loadAuditConfig } from './audit-config.ts'
import { retentionIn } from './config-options.ts'
import { logConnection, withConnection, withWritingConnection } from './connection.ts'
import { databaseUrl } from './database-url.ts'
import { tableOption } from './usage.ts'

/** The log in the database of the project, for reading. Without a client there are no models, only resources. */
export async function withLog<T>(
  table: string | undefined,
  work: (log: ReadableLog & { connection: SqlClient }) => Promise<T>,
): Promise<T> {
  const options = { table: tableOption(table) }
  const retention = retentionIn(await loadAuditConfig(process.cwd()))
  return withConnection(await databaseUrl(process.cwd()), options.table, (opened) => {
    const models = new StoredModels({ models: {} }, async () => 'public', undefined)
    const connection = logConnection(opened)
    const archive = configuredArchive({ ...options, retention }, questionsTo({ options, connection }))
    return work({ options, models, connection, archive })
  })
}

/** The log of the project in `directory`, for work that reads it on and keeps how far it is. */
export async function withReaderLog<T>(
  directory: string,
  table: TableName,
  work: (log: ReaderLog) => Promise<T>,
): Promise<T> {
  const retention = retentionIn(await loadAuditConfig(directory))
  const options = { table }
  return withWritingConnection(await databaseUrl(directory), table, (opened) => {
    const connection = logConnection(opened)
    const archive = configuredArchive({ table, retention }, questionsTo({ options, connection }))
    return work(readerLog({ options, connection, archive }))
  })
}

/** The log of the project in `directory`, for work that only its owner may do. */
export async function withOwnedLog<T>(
  directory: string,
  table: TableName,
  work: (log: OwnedLog) => Promise<T>,
): Promise<T> {
  return withWritingConnection(await databaseUrl(directory), table, (connection) =>
    work(
      ownedLog({
        ...{ table, connection: logConnection(connection) },
        transaction: (inside) =>
          inTransaction(connection, (transaction) => inside(logConnection(transaction))),
      }),
    ),
  )
}
