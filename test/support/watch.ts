import { readFileSync } from 'node:fs'
import { schemaDataModel } from '../../src/models/schema-data-model.ts'
import { resolveOptions } from '../../src/options.ts'
import { quoteLiteral } from '../../src/postgres/identifiers.ts'
import { watchSql } from '../../src/triggers/watch-sql.ts'
import { watchedTables as tablesOf, type WatchedTable } from '../../src/triggers/watched-tables.ts'
import type { Database } from './database.ts'

/** Which tables of a database have triggers that record them. */
export type Watched = 'all' | 'half' | 'none'

/** `AUDIT_WATCHED=all` or `half` runs the same tests with triggers on these tables of theirs: entries must be the same. */
export const watchedTables = (process.env.AUDIT_WATCHED ?? 'none') as Watched

/** Another seed of the oracle watches another half. */
const half = quoteLiteral(process.env.ORACLE_SEED ?? '').trimStart()

/** Whether a table is among them: a condition on `c` of pg_class and `n` of pg_namespace. */
function isWatched(which: Watched): string {
  return `c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition AND c.relname <> 'audit_logs'
    AND n.nspname !~ '^(pg_|information_schema|oracle|truth|audit_logs_internal)' AND c.relname !~ '[[:space:].]'
    ${which === 'half' ? `AND md5(c.relname || ${half}) < '8'` : ''}`
}

/**
 * Has the tables of a schema recorded by triggers, those without a model too.
 *
 * @param schema the text of the Prisma schema
 * @param which half of them is every other one, more or less
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
  const tables = await sql<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${isWatched(which)} ORDER BY c.relname COLLATE "C"`)
  for (const table of tables) {
    const isSame = (one: WatchedTable) => one.table.name === table.name && one.table.schema === table.schema
    await sql(watchSql(resolved.table, known.find(isSame) ?? { table, resource: table.name, options: {} }))
  }
}

/** Where triggers record the tables of the test schema, has them do it with these options. */
export function watchWith(db: Pick<Database, 'sql'>, options: object): Promise<void> {
  return watchTables(db, readFileSync('test/prisma/schema.prisma', 'utf8'), watchedTables, options)
}

/** Has triggers record tables without a model as soon as a test makes them. */
export async function watchLaterTables(
  { sql }: Pick<Database, 'sql'>,
  which: Watched = 'none',
): Promise<void> {
  if (which === 'none') return
  await sql(`
    CREATE FUNCTION audit_logs_internal.watch_later() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM public.audit_logs_watch(c.oid, c.relname::text)
      FROM pg_event_trigger_ddl_commands() AS d
      JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${isWatched(which)};
    END $$;
    CREATE EVENT TRIGGER watch_later ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
    EXECUTE FUNCTION audit_logs_internal.watch_later()`)
}
