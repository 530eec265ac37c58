import type { Database } from './database.ts'

/** Empties every table but the log and what seals it, and starts generated ids over. No trigger sees it. */
export async function emptyTables(db: Database): Promise<void> {
  await db.sql(await emptyingScript(db))
}

/** The statement that does, for the tables there are now. */
export async function emptyingScript(db: Database): Promise<string> {
  const tables = await db.sql<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema|oracle)' AND c.relname <> 'audit_logs'
      AND (n.nspname <> 'audit_logs_internal' OR c.relname IN ('eras', 'consumers'))
  `)
  return `TRUNCATE ${tables.map(({ name }) => name).join(', ')} RESTART IDENTITY;`
}
