// Every name is qualified with pg_catalog, so no search_path can change its meaning.

const found = (condition: string) => `
WITH RECURSIVE relation AS (
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relhasrules, c.relispartition,
    (c.relhassubclass AND c.relkind = 'r') AS inherited
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ${condition}
),
attribute AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated, a.attidentity, a.attnotnull,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS declared,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS "default"
  FROM pg_catalog.pg_attribute a
  JOIN relation r ON r.oid = a.attrelid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
),
firing AS (
  SELECT t.tgrelid, t.tgname, t.tgtype, t.tgargs
  FROM pg_catalog.pg_trigger t
  WHERE t.tgname LIKE '%!audit\\_logs\\_%' AND NOT t.tgisinternal AND t.tgenabled IN (
    'A', CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
),
type(oid) AS (
  SELECT atttypid FROM attribute
  UNION
  SELECT related FROM type JOIN pg_catalog.pg_type t ON t.oid = type.oid
  CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) AS v(related)
  WHERE related <> 0
)`

const tables = `
  'tables', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'oid', r.oid::bigint, 'schema', r.schema, 'name', r.name, 'kind', r.kind,
    'partition', r.relispartition, 'inherited', r.inherited,
    'rules', r.kind <> 'v' AND r.relhasrules AND EXISTS (
      SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = r.oid AND w.ev_type <> '1'),
    -- tgtype: 1 row, 2 before, 16 update
    'beforeUpdate', r.kind = 'p' OR EXISTS (
      SELECT FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = r.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype::int & 19 = 19),
    'shape', (SELECT pg_catalog.md5(pg_catalog.string_agg(
        pg_catalog.concat_ws(' ', a.attnum, a.attname, t.typname, a.atttypmod), ', ' ORDER BY a.attnum))
      FROM attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE a.attrelid = r.oid),
    'key', pg_catalog.md5(pg_catalog.format('%I.%I', r.schema, r.name)),
    -- tgtype: 2 before, 4 insert
    'beforeInsert', EXISTS (
      SELECT FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = r.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype::int & 6 = 6
        AND t.tgname NOT IN ('!audit_logs_statement', '!audit_logs_reach')),
    -- tgtype: 1 row, 2 before, 8 delete; a partition may have a trigger of its own
    'beforeDelete', EXISTS (
      SELECT FROM pg_catalog.pg_trigger t
      WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype::int & 11 = 11
        AND t.tgrelid IN (SELECT r.oid UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid)),
    -- uniform: every policy is FOR ALL, so a role may read what it may change
    'security', (SELECT CASE WHEN EXISTS (
        SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND p.polcmd <> '*') THEN 'split' ELSE 'uniform' END
      FROM pg_catalog.pg_class c WHERE c.oid = r.oid AND c.relrowsecurity),
    'readable', pg_catalog.has_table_privilege(r.oid, 'SELECT'),
    -- the triggers of audit_logs_watch, as far as they fire in this session
    'noted', (SELECT pg_catalog.convert_from(
        pg_catalog.substring(t.tgargs, 1, pg_catalog.octet_length(t.tgargs) - 1), pg_catalog.getdatabaseencoding())
      FROM firing t WHERE t.tgrelid = r.oid AND t.tgname = '!audit_logs_statement'),
    'reach', (SELECT pg_catalog.split_part(pg_catalog.convert_from(
        pg_catalog.substring(t.tgargs, 1, pg_catalog.octet_length(t.tgargs) - 1), pg_catalog.getdatabaseencoding()), ' ', 2)
      FROM firing t WHERE t.tgrelid = r.oid AND t.tgname = '!audit_logs_reach'),
    -- tgtype: 32 truncate
    'triggers', (SELECT count(*) FROM firing t
      WHERE t.tgrelid = r.oid AND t.tgname LIKE '%!audit\\_logs\\_row%' AND t.tgtype::int & 32 = 0),
    'columns', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'number', a.attnum, 'name', a.attname, 'type', a.atttypid::bigint, 'modifier', a.atttypmod,
        'declared', a.declared, 'generated', a.attgenerated <> '',
        'identity', a.attidentity = 'a', 'nullable', NOT a.attnotnull, 'default', a."default") ORDER BY a.attnum), '[]')
      FROM attribute a WHERE a.attrelid = r.oid),
    -- what a foreign key may refer to: unique indexes without expressions and conditions, constraints or not
    'keys', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', k.relname, 'primary', i.indisprimary,
        'columns', (i.indkey::int2[])[0:i.indnkeyatts - 1]) ORDER BY k.relname), '[]')
      FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
      WHERE i.indrelid = r.oid AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL)
  )), '[]') FROM relation r)`

const types = `
  'types', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'oid', t.oid::bigint, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
    'category', t.typcategory, 'element', t.typelem::bigint, 'base', t.typbasetype::bigint,
    'baseModifier', t.typtypmod)), '[]')
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid IN (SELECT oid FROM type))`

const rest = `
  'version', pg_catalog.current_setting('server_version_num')::int,
  'searchPath', pg_catalog.to_json(pg_catalog.current_schemas(false)),
  'foreignKeys', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', f.conname, 'child', f.conrelid::bigint, 'parent', f.confrelid::bigint,
    'childColumns', f.conkey, 'parentColumns', f.confkey, 'onDelete', f.confdeltype, 'onUpdate', f.confupdtype,
    -- the column list of SET NULL (a, b), which PostgreSQL has since 15
    'setColumns', pg_catalog.to_jsonb(f) -> 'confdelsetcols')
    -- referential actions run in this order, and the locks taken ahead of them have to follow it
    ORDER BY f.oid), '[]')
    FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.conparentid = 0),
  -- functions that may write: volatile, and in a language that can run statements
  'writingFunctions', (SELECT coalesce(pg_catalog.json_agg(DISTINCT p.proname), '[]')
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.provolatile = 'v' AND l.lanname NOT IN ('internal', 'c') AND n.nspname <> 'pg_catalog'
      AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype),
  -- the functions of the log's migration, whatever the log's name; other parameters belong to another release
  'logFunctions', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'schema', n.nspname, 'name', p.proname, 'source', p.prosrc)), '[]')
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE (p.proname LIKE '%\\_record' AND pg_catalog.oidvectortypes(p.proargtypes) = 'text, text, jsonb, jsonb, text[], jsonb'
      OR p.proname LIKE '%\\_context' AND pg_catalog.oidvectortypes(p.proargtypes) = 'text, text, text, text'
      OR p.proname LIKE '%\\_iso' AND pg_catalog.oidvectortypes(p.proargtypes) = 'timestamp without time zone')
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))`

/**
 * One statement that reads what the rewriter needs to know about a database: tables, columns, keys, foreign keys with
 * their actions, triggers, types and functions. Returns one JSON text.
 */
export const catalogQuery = `${found('')}
SELECT pg_catalog.json_build_object(${tables},${types},${rest})::text`

/** The same for the tables that have one of the names in `$1`, a text[]: only the tables and their types. */
export const tablesQuery = `${found('AND c.relname = ANY ($1::text[])')}
SELECT pg_catalog.json_build_object(${tables},${types})::text AS catalog`
