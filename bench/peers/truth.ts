import type pg from 'pg'
import type { Verb } from './contender.ts'

/** A row as the truth has it: each value in the text form of its JSON. */
export type TextRow = Readonly<Record<string, string | null>>

/** A row change that was committed. */
export interface TrueChange {
  readonly transaction: string
  readonly table: string
  readonly verb: Verb
  readonly before: TextRow | undefined
  readonly after: TextRow | undefined
  /** The columns of the primary key, or of the whole row without one. */
  readonly key: readonly string[]
}

const text = (row: 'OLD' | 'NEW') =>
  `(SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(to_jsonb(${row})))`

/** A plain row trigger on each of the application's tables, which shares no code with any contender. */
export async function installTruth(pool: pg.Pool, logTables: readonly string[]): Promise<void> {
  await pool.query(`
    CREATE SCHEMA oracle;
    CREATE TABLE oracle.change (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      transaction_id text, table_name text, op text, old jsonb, new jsonb);
    CREATE FUNCTION oracle.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO oracle.change (transaction_id, table_name, op, old, new) VALUES (pg_current_xact_id()::text,
        TG_TABLE_NAME, TG_OP, CASE WHEN TG_OP <> 'INSERT' THEN ${text('OLD')} END,
        CASE WHEN TG_OP <> 'DELETE' THEN ${text('NEW')} END);
      RETURN NULL;
    END $$;`)
  const { rows } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname = 'public' AND tablename <> ALL ($1) AND tablename !~ '^(_prisma_migrations|revision.*)$'`,
    [logTables],
  )
  for (const { name } of rows) {
    await pool.query(`CREATE TRIGGER "A_oracle" AFTER INSERT OR UPDATE OR DELETE ON ${name}
      FOR EACH ROW EXECUTE FUNCTION oracle.record()`)
  }
}

export async function readTruth(pool: pg.Pool): Promise<TrueChange[]> {
  const { rows } = await pool.query<{
    transaction_id: string
    table_name: string
    op: 'INSERT' | 'UPDATE' | 'DELETE'
    old: TextRow | null
    new: TextRow | null
    key: string[] | null
  }>(`
    SELECT c.*, (SELECT array_agg(attname::text ORDER BY array_position(conkey, attnum))
      FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
      WHERE contype = 'p' AND conrelid = format('public.%I', c.table_name)::regclass) AS key
    FROM oracle.change AS c ORDER BY id`)
  return rows.map(({ transaction_id, table_name, op, old, new: now, key }) => ({
    transaction: transaction_id,
    table: table_name,
    verb: op === 'INSERT' ? 'create' : op === 'DELETE' ? 'delete' : 'update',
    before: old ?? undefined,
    after: now ?? undefined,
    key: key ?? Object.keys(now ?? old ?? {}),
  }))
}
