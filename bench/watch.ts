import type pg from 'pg'
import { schemaDataModel } from '../src/models/schema-data-model.ts'
import { resolveOptions } from '../src/options.ts'
import { watchSql } from '../src/triggers/watch-sql.ts'
import { watchedTables } from '../src/triggers/watched-tables.ts'

/**
 * Has triggers record every table of a Prisma schema. They stay silent where `session_replication_role` is `replica`, so
 * that what a measurement prepares leaves no entries, and the log has the same ones as without triggers; what they cost
 * is the same.
 */
export async function watchEveryTable(pool: pg.Pool, schema: string): Promise<void> {
  const dataModel = schemaDataModel([schema])
  const options = resolveOptions({}, dataModel)
  for (const watched of watchedTables(dataModel, options, 'public')) {
    await pool.query(watchSql(options.table, { ...watched, options: { ...watched.options, origin: true } }))
  }
}
