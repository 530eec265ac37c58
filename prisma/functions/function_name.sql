-- The quoted name of a table's trigger function: the one that it has, or a new one, as near to the table's name as others
-- leave free. A table that was renamed keeps its functions, and their names. A name holds 63 bytes.
--
-- kind: 'truncate', or NULL
CREATE OR REPLACE FUNCTION "audit_logs_internal"."function_name"(relation oid, kind text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT '"audit_logs_internal".' || quote_ident(candidate.name)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT concat_ws(' ', n.nspname || '.' || c.relname, kind) AS name) AS wanted
  CROSS JOIN generate_series(1, 1000) AS attempt
  CROSS JOIN LATERAL (SELECT CASE attempt WHEN 1 THEN wanted.name ELSE wanted.name || ' ' || attempt END AS name) AS numbered
  CROSS JOIN LATERAL (SELECT CASE WHEN octet_length(numbered.name) <= 63 THEN numbered.name
    ELSE concat_ws(' ', md5(numbered.name), kind) END AS name) AS candidate
  WHERE c.oid = relation AND NOT EXISTS (
    SELECT FROM pg_proc p JOIN pg_trigger t ON t.tgfoid = p.oid
    WHERE p.pronamespace = '"audit_logs_internal"'::regnamespace AND p.proname = candidate.name
      AND t.tgparentid = 0 AND t.tgrelid <> relation AND t.tgrelid NOT IN (SELECT relid FROM pg_partition_tree(relation)))
  ORDER BY attempt LIMIT 1
$$;
