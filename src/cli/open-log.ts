import type { ReadableLog } from '../log/log.ts'
import { questionsTo } from '../log/readable.ts'
import { StoredModels } from '../models/stored-models.ts'
import { archivedLog } from '../parquet/archived-entries.ts'
import type { SqlClient } from '../postgres/sql-client.ts'
import { loadAuditConfig } from './audit-config.ts'
import { retentionIn } from './config-options.ts'
import { logConnection, withConnection } from './connection.ts'
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
    const archive =
      retention && archivedLog(retention.archive, options.table, questionsTo({ options, connection }))
    return work({ options, models, connection, archive })
  })
}
