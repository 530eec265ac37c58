import { overtakenSql } from './watch.ts'

// Every name is qualified with pg_catalog, so no search_path can change its meaning. Each query begins with the few
// tables that it is about and finds the rest by indexes, so its time does not grow with the size of the database.

/** The tables that have one of the names in $1, in any schema. */
const named = `
named AS (
  SELECT c.oid
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
)`

/**
 * What changes of these tables can reach by referential actions, to any depth: `changed` are the columns that an action
 * sets, NULL where it deletes the row. A parent's foreign keys are found by the triggers that run their actions:
 * pg_constraint has no index on confrelid.
 */
const reached = `
step(relation, changed) AS (
  SELECT n.oid, v.changed FROM named n CROSS JOIN LATERAL (VALUES (NULL::int2[]), (
    (SELECT pg_catalog.array_agg(a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = n.oid AND a.attnum > 0)
  )) AS v(changed)
  UNION
  SELECT f.conrelid, CASE WHEN s.changed IS NOT NULL OR f.confdeltype <> 'c' THEN f.conkey END
  FROM step s
  CROSS JOIN LATERAL (
    SELECT t.tgconstraint FROM pg_catalog.pg_trigger t WHERE t.tgrelid = s.relation AND t.tgisinternal
    UNION ALL
    -- before PostgreSQL 15, only the partitions of a partitioned table have them
    SELECT f.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_constraint f ON f.confrelid = c.oid
    WHERE c.oid = s.relation AND c.relkind = 'p' AND pg_catalog.current_setting('server_version_num')::int < 150000
  ) AS acting(key)
  JOIN pg_catalog.pg_constraint f ON f.oid = acting.key
  WHERE f.contype = 'f' AND f.confrelid = s.relation AND f.conparentid = 0
    AND CASE WHEN s.changed IS NULL THEN f.confdeltype IN ('c', 'n', 'd')
      ELSE f.confupdtype IN ('c', 'n', 'd') AND f.confkey && s.changed END
),
found AS (
  SELECT relation AS oid FROM step
  UNION
  -- what a many-to-many table links, whose name begins like this
  SELECT f.confrelid FROM step s JOIN pg_catalog.pg_class c ON c.oid = s.relation
  JOIN pg_catalog.pg_constraint f ON f.conrelid = s.relation
  WHERE f.contype = 'f' AND c.relname LIKE '\\_%'
)`

/** OFFSET keeps the planner from reading all of pg_type: every table has a type of its own. */
const typeNamed = 'SELECT t.* FROM pg_catalog.pg_type t WHERE t.oid = type.oid OFFSET 0'

const relation = `
relation AS (
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relhasrules, c.relispartition,
    (c.relhassubclass AND c.relkind = 'r') AS inherited
  FROM found JOIN pg_catalog.pg_class c ON c.oid = found.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
),
type(oid) AS (
  -- out of an array, of whose length the planner has no high opinion: above a certain cost it would compile the query
  SELECT pg_catalog.unnest((SELECT pg_catalog.array_agg(DISTINCT a.atttypid)
    FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid WHERE a.attnum > 0 AND NOT a.attisdropped))
  UNION
  SELECT related FROM type CROSS JOIN LATERAL (${typeNamed}) AS t
  CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) AS v(related)
  WHERE related <> 0
)`

/** Whether a trigger fires in this session. */
const fires = `t.tgenabled IN (
  'A', CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)`

const argument = `pg_catalog.convert_from(
  pg_catalog.substring(t.tgargs, 1, pg_catalog.octet_length(t.tgargs) - 1), pg_catalog.getdatabaseencoding())`

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
    'shape', columns.shape,
    -- the log: refuses every UPDATE, DELETE and TRUNCATE, and row by row what its function lets through for an erasure.
    -- tgtype: 1 row, 2 before, 8 delete, 16 update, 32 truncate
    'immutable', (SELECT coalesce(pg_catalog.bit_or(t.tgtype::int) FILTER (WHERE t.tgtype::int & 1 = 0) & 56 = 56
        AND (pg_catalog.bool_or(t.tgtype::int & 17 = 17) OR NOT pg_catalog.bool_or(p.prosrc LIKE '%TG_LEVEL%')), false)
      FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
      WHERE t.tgrelid = r.oid AND NOT t.tgisinternal AND t.tgenabled = 'A' AND t.tgtype::int & 2 = 2
        AND t.tgqual IS NULL AND t.tgattr = '' AND p.proname = r.name || '_immutable'),
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
    'noted', (SELECT ${argument} FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = r.oid AND t.tgname = '!audit_logs_statement' AND NOT t.tgisinternal AND ${fires}),
    'reach', (SELECT pg_catalog.split_part(${argument}, ' ', 2) FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = r.oid AND t.tgname = '!audit_logs_reach' AND NOT t.tgisinternal AND ${fires}),
    'triggers', recording.triggers,
    'rowTrigger', recording.one,
    'overtaken', ${overtakenSql('r.oid')},
    'columns', columns.list,
    -- what a foreign key may refer to: unique indexes without expressions and conditions, constraints or not
    'keys', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', k.relname, 'primary', i.indisprimary,
        'columns', (i.indkey::int2[])[0:i.indnkeyatts - 1]) ORDER BY k.relname), '[]')
      FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid
      WHERE i.indrelid = r.oid AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL)
  )), '[]') FROM relation r
  CROSS JOIN LATERAL (
    -- tgtype: 32 truncate
    SELECT pg_catalog.count(*) AS triggers, pg_catalog.min(t.oid)::bigint AS one FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = r.oid AND t.tgname LIKE '%!audit\\_logs\\_row%' AND t.tgtype::int & 32 = 0
      AND NOT t.tgisinternal AND ${fires}
  ) AS recording
  CROSS JOIN LATERAL (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'number', a.attnum, 'name', a.attname, 'type', a.atttypid::bigint, 'modifier', a.atttypmod,
        'declared', pg_catalog.format_type(a.atttypid, a.atttypmod), 'generated', a.attgenerated <> '',
        'identity', a.attidentity = 'a', 'nullable', NOT a.attnotnull,
        'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum), '[]') AS list,
      pg_catalog.md5(pg_catalog.string_agg(
        pg_catalog.concat_ws(' ', a.attnum, a.attname, (
          SELECT t.typname FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
        ), a.atttypmod), ', ' ORDER BY a.attnum)) AS shape
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  ) AS columns)`

const types = `
  'types', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'oid', t.oid::bigint, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
    'category', t.typcategory, 'element', t.typelem::bigint, 'base', t.typbasetype::bigint,
    'baseModifier', t.typtypmod)), '[]')
    FROM type CROSS JOIN LATERAL (${typeNamed}) AS t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace)`

const foreignKeys = `
  'foreignKeys', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'oid', f.oid::bigint, 'name', f.conname, 'child', f.conrelid::bigint, 'parent', f.confrelid::bigint,
    'childColumns', f.conkey, 'parentColumns', f.confkey, 'onDelete', f.confdeltype, 'onUpdate', f.confupdtype,
    -- the column list of SET NULL (a, b), which PostgreSQL has since 15
    'setColumns', pg_catalog.to_jsonb(f) -> 'confdelsetcols')), '[]')
    FROM found JOIN pg_catalog.pg_constraint f ON f.conrelid = found.oid
    WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confrelid IN (SELECT oid FROM found)
      -- one that is NOT ENFORCED, which PostgreSQL has since 18, has no actions
      AND coalesce((pg_catalog.to_jsonb(f) ->> 'conenforced')::bool, true))`

/** The tables that have one of the names in $1, a text[], and their types. One JSON text. */
export const tablesQuery = `WITH RECURSIVE ${named}, found AS (SELECT oid FROM named),${relation}
SELECT pg_catalog.json_build_object(${tables},${types})::text AS catalog`

/** The same, and all that changes of these tables can reach by referential actions, with the foreign keys among them. */
export const reachQuery = `WITH RECURSIVE ${named},${reached},${relation}
SELECT pg_catalog.json_build_object(${tables},${types},${foreignKeys})::text AS catalog`

/** What concerns every statement: the server and its functions. */
export const databaseQuery = `SELECT pg_catalog.json_build_object(
  'version', pg_catalog.current_setting('server_version_num')::int,
  'searchPath', pg_catalog.to_json(pg_catalog.current_schemas(false)),
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
    FROM (SELECT * FROM pg_catalog.pg_proc p
      WHERE p.proname LIKE '%\\_record' AND pg_catalog.oidvectortypes(p.proargtypes) = 'text, text, jsonb, jsonb, text[], jsonb'
        OR p.proname LIKE '%\\_context' AND pg_catalog.oidvectortypes(p.proargtypes) = 'text, text, text, text'
        OR p.proname LIKE '%\\_iso' AND pg_catalog.oidvectortypes(p.proargtypes) = 'timestamp without time zone'
      -- first the names: to look up a privilege takes longer
      OFFSET 0) p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')))::text`

/** Which tables triggers record, for statements that do not say what they write to. */
export const recordedQuery = `
WITH firing AS (
  SELECT t.tgrelid, t.tgname, t.tgtype FROM pg_catalog.pg_trigger t
  WHERE NOT t.tgisinternal AND t.tgname LIKE '%!audit\\_logs\\_%' AND ${fires}
),
recorded AS (
  SELECT DISTINCT tgrelid AS oid FROM firing WHERE tgname LIKE '%!audit\\_logs\\_row%' AND tgtype::int & 32 = 0
)
SELECT pg_catalog.json_build_object(
  'hasTriggers', EXISTS (SELECT FROM recorded),
  'noted', (SELECT coalesce(pg_catalog.json_agg(c.relname), '[]')
    FROM firing t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid WHERE t.tgname = '!audit_logs_statement'),
  'unrecorded', (SELECT coalesce(pg_catalog.json_object_agg(n.nspname, c.names), '{}')
    FROM (SELECT c.relnamespace, pg_catalog.array_agg(c.relname) AS names FROM pg_catalog.pg_class c
      WHERE c.relkind IN ('r', 'p', 'f') AND c.oid NOT IN (SELECT oid FROM recorded)
        -- the partitioned table stands for its partitions, as the log does for its months
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
          WHERE c.relispartition AND i.inhrelid = c.oid AND i.inhparent NOT IN (SELECT oid FROM recorded))
      GROUP BY c.relnamespace) AS c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'))::text`
