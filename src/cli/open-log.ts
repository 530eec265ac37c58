import type { ReadableLog } from '../log/log.ts'
import { StoredModels } from '../models/stored-models.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { logConnection, withConnection } from './connection.ts'
import { databaseUrl } from './database-url.ts'
import { tableOption } from './usage.ts'

/** The log in the database of the project, for reading. Without a client there are no models, only resources. */
export async function withLog<T>(
  table: string | undefined,
  work: (log: ReadableLog & { connection: SqlClient }) => Promise<T>,
): Promise<T> {
  const options = { table: tableOption(table) }
  return withConnection(await databaseUrl(process.cwd()), options.table, (connection) => {
    const models = new StoredModels({ models: {} }, async () => 'public', undefined)
    return work({ options, models, connection: logConnection(connection) })
  })
}
