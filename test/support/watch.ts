import { schemaDataModel } from '../../src/models/schema-data-model.ts'
import { resolveOptions } from '../../src/options.ts'
import { watchSql } from '../../src/triggers/watch-sql.ts'
import { watchedTables as tablesOf, type WatchedTable } from '../../src/triggers/watched-tables.ts'
import type { Database } from './database.ts'

/** Which tables of a database have triggers that record them. */
export type Watched = 'all' | 'half' | 'none'

/** `AUDIT_WATCHED=all` or `half` runs the same tests with triggers on these tables of theirs: entries must be the same. */
export const watchedTables = (process.env.AUDIT_WATCHED ?? 'none') as Watched

/**
 * Has the tables of a schema recorded by triggers, those without a model too.
 *
 * @param schema the text of the Prisma schema
 * @param which half of them is every other one in the order of their names
 * @param options as `withAudit` gets them
 */
export async function watchTables(
  { sql }: Pick<Database, 'sql'>,
  schema: string,
  which: Watched = 'none',
  options: object = {},
): Promise<void> {
  if (which === 'none') return
  const dataModel = schemaDataModel([schema])
  const resolved = resolveOptions(options, dataModel)
  const known = tablesOf(dataModel, resolved, 'public')
  const tables = await sql<{ name: string }>(`
    SELECT relname AS name FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND NOT relispartition AND relname <> 'audit_logs'
    ORDER BY relname COLLATE "C"`)
  for (const [index, { name }] of tables.entries()) {
    if (which === 'half' && index % 2 === 1) continue
    const table: WatchedTable = known.find((one) => one.table.name === name) ?? {
      table: { schema: 'public', name },
      resource: name,
      options: {},
    }
    await sql(watchSql(resolved.table, table))
  }
}
