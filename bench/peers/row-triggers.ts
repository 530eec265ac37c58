import type pg from 'pg'
import { fillTables } from '../../scripts/fill-tables.ts'
import { type Contender, type Log, ordinaryClient, type RecordedChange, type Row } from './contender.ts'
import { productState } from './product-state.ts'
import { unaudited } from './unaudited.ts'

/**
 * In the style of supa_audit. Where that looks the key up in the catalog for every row, the triggers here are told it,
 * which is faster. Nobody tells them who acts, so there is no actor and no index on one; otherwise the indexes are for
 * the same searches as this library's log.
 */
const install = `
  CREATE TABLE record_version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts timestamptz NOT NULL DEFAULT clock_timestamp(),
    op text NOT NULL,
    table_schema name NOT NULL,
    table_name name NOT NULL,
    record_id jsonb,
    record jsonb,
    old_record jsonb
  );
  CREATE INDEX ON record_version USING brin (ts);
  CREATE INDEX ON record_version (table_name, record_id, ts DESC);
  CREATE INDEX ON record_version (table_name, op, ts DESC);

  CREATE FUNCTION record_version() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    record jsonb := to_jsonb(NEW);
    old_record jsonb := to_jsonb(OLD);
    record_id jsonb := '[]';
  BEGIN
    FOR i IN 0 .. TG_NARGS - 1 LOOP
      record_id := record_id || (coalesce(old_record, record) -> TG_ARGV[i]);
    END LOOP;
    INSERT INTO record_version (op, table_schema, table_name, record_id, record, old_record)
    VALUES (TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME, record_id, record, old_record);
    RETURN NULL;
  END $$;

  DO $$
  DECLARE
    one record;
  BEGIN
    FOR one IN
      SELECT conrelid::regclass AS table_name, string_agg(quote_literal(attname), ', ' ORDER BY array_position(conkey, attnum)) AS keys
      FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
      WHERE contype = 'p' AND connamespace = 'public'::regnamespace AND conrelid <> 'record_version'::regclass
      GROUP BY conrelid
    LOOP
      EXECUTE format('CREATE TRIGGER record_version AFTER INSERT OR UPDATE OR DELETE ON %s
        FOR EACH ROW EXECUTE FUNCTION record_version(%s)', one.table_name, one.keys);
    END LOOP;
  END $$;`

const log: Log = {
  schemas: ['schema.prisma'],
  install: async ({ pool }) => void (await pool.query(install)),
  tables: ['record_version'],
  fill: (pool, count) => fillTables(pool, ['record_version'], insert, count),
  read,
  recordsBefore: true,
  mergesInTransaction: false,
}

async function read(pool: pg.Pool): Promise<RecordedChange[]> {
  const { rows } = await pool.query<{
    id: string
    op: 'INSERT' | 'UPDATE' | 'DELETE'
    table_name: string
    record_id: unknown[]
    record: Row | null
    old_record: Row | null
  }>('SELECT id, op, table_name, record_id, record, old_record FROM record_version ORDER BY id')
  return rows.map(({ id, op, table_name, record_id, record, old_record }) => ({
    key: id,
    table: table_name,
    id: record_id.length === 1 ? String(record_id[0]) : JSON.stringify(record_id.map(String)),
    verb: op === 'INSERT' ? 'create' : op === 'DELETE' ? 'delete' : 'update',
    before: old_record ?? undefined,
    after: record ?? undefined,
  }))
}

const insert = `
  INSERT INTO record_version (ts, op, table_schema, table_name, record_id, record, old_record)
  SELECT now() - ($1::int8 - n) * interval '0.36 seconds', 'UPDATE', 'public', 'Product',
    jsonb_build_array('seed-' || n % 10000), ${productState}, ${productState}
  FROM generate_series(1, $1::int8) AS n`

export const rowTriggers: Contender = {
  name: 'row triggers',
  log,
  comparedTo: unaudited.name,
  isPeer: true,
  connect: ordinaryClient,
}
