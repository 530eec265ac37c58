import { type Connection, queryOf } from './connection.ts'
import type { TableName } from './identifiers.ts'
import { type Partitions, partitionsJson } from './partitions.ts'

/** What `pg_catalog` says about the log and the current role. */
export interface LogCatalog {
  readonly version: string
  readonly versionNumber: number
  readonly role: { readonly name: string; readonly superuser: boolean }
  /** Null when the table does not exist. */
  readonly table: LogTable | null
  /** The schemas that have a table of this name, on the `search_path` or not. */
  readonly elsewhere: readonly string[]
}

export interface LogTable {
  readonly schema: string
  readonly name: string
  /** The role owns the table, directly or through a role that it is a member of. */
  readonly owned: boolean
  readonly schemaUsage: boolean
  /** The planner's estimate; -1 before the first `ANALYZE`. */
  readonly estimatedRows: number
  readonly columns: Readonly<Record<string, { type: string; hasDefault: boolean; insert: boolean }>>
  /** `enabled` is `pg_trigger.tgenabled`; `timing` its `tgtype`, when it fires and for what. */
  readonly triggers: Readonly<Record<string, { enabled: string; timing: number; calls: string }>>
  /** Functions that are named after the table and `_`, by the rest of the name. */
  readonly functions: Readonly<Record<string, { readonly source: string; readonly execute: boolean }>>
  /** Index names with `pg_index.indisvalid`. */
  readonly indexes: Readonly<Record<string, boolean>>
  /** Null for a log that is not partitioned. */
  readonly partitions: Partitions | null
  /** Whether it has the CHECK of a conversion that was interrupted. */
  readonly isBounded: boolean
  readonly privileges: Readonly<Record<'SELECT' | 'UPDATE' | 'DELETE' | 'TRUNCATE', boolean>>
}

// One statement, so that its parts agree. A trigger with a WHEN clause or a column list refuses only some writes, so it
// does not count.
const catalogSql = `
WITH log AS (
  SELECT c.*, n.nspname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = $1 AND c.relkind IN ('r', 'p')
    AND CASE WHEN $2 = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $2 END
)
SELECT json_build_object(
  'version', current_setting('server_version'),
  'versionNumber', current_setting('server_version_num')::int,
  'role', (SELECT json_build_object('name', rolname, 'superuser', rolsuper)
           FROM pg_catalog.pg_roles WHERE rolname = current_user),
  'elsewhere', (SELECT coalesce(json_agg(n.nspname ORDER BY n.nspname), '[]')
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relname = $1 AND c.relkind IN ('r', 'p') AND c.oid NOT IN (SELECT oid FROM log)),
  'table', (SELECT json_build_object(
    'schema', log.nspname,
    'name', log.relname,
    'owned', pg_has_role(log.relowner, 'USAGE'),
    'schemaUsage', has_schema_privilege(log.relnamespace, 'USAGE'),
    'estimatedRows', CASE WHEN log.relkind = 'r' THEN log.reltuples ELSE (SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)
      FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = log.oid) END,
    'columns', (SELECT coalesce(json_object_agg(attname, json_build_object(
        'type', format_type(atttypid, atttypmod),
        'hasDefault', atthasdef OR attidentity <> '',
        'insert', has_column_privilege(attrelid, attnum, 'INSERT'))), '{}')
      FROM pg_catalog.pg_attribute WHERE attrelid = log.oid AND attnum > 0 AND NOT attisdropped),
    'triggers', (SELECT coalesce(json_object_agg(tgname, json_build_object(
        'enabled', tgenabled, 'timing', tgtype, 'calls', p.proname)), '{}')
      FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc p ON p.oid = tgfoid
      WHERE tgrelid = log.oid AND NOT tgisinternal AND tgqual IS NULL AND tgattr = ''),
    'functions', (SELECT coalesce(json_object_agg(suffix, json_build_object(
        'source', prosrc, 'execute', has_function_privilege(p.oid, 'EXECUTE'))), '{}')
      FROM pg_catalog.pg_proc p JOIN (VALUES
        ('immutable', ''),
        ('record', 'text, text, jsonb, jsonb, text[], jsonb'),
        ('iso', 'timestamp without time zone'),
        ('version', ''),
        ('write_as_owner', 'jsonb')
      ) AS shipped(suffix, parameters) ON proname = log.relname || '_' || suffix AND oidvectortypes(proargtypes) = parameters
      WHERE pronamespace = log.relnamespace),
    'indexes', (SELECT coalesce(json_object_agg(i.relname, indisvalid), '{}')
      FROM pg_catalog.pg_index JOIN pg_catalog.pg_class i ON i.oid = indexrelid WHERE indrelid = log.oid),
    'partitions', ${partitionsJson('log.oid')},
    'isBounded', EXISTS (SELECT FROM pg_catalog.pg_constraint
      WHERE conrelid = log.oid AND conname = log.relname || '_partition_bound'),
    'privileges', (SELECT json_object_agg(privilege, has_table_privilege(log.oid, privilege))
      FROM unnest(ARRAY['SELECT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege)
  ) FROM log)
)::text`

/** Reads everything that the checks need, in one statement. */
export async function readLogCatalog(
  connection: Pick<Connection, 'queryRaw'>,
  table: TableName,
): Promise<LogCatalog> {
  const { rows } = await connection.queryRaw(queryOf(catalogSql, [table.name, table.schema ?? '']))
  return JSON.parse(String(rows[0]?.[0])) as LogCatalog
}
