-- The quoted name of a table's trigger function, as near to the table's own as others leave free: a table that was renamed
-- keeps its functions, and their names, and those of a table that was dropped stay, maybe another role's. A name holds 63
-- bytes.
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
    SELECT FROM pg_proc p
    WHERE p.pronamespace = '"audit_logs_internal"'::regnamespace AND p.proname = candidate.name
      AND (NOT pg_has_role(p.proowner, 'USAGE')
        OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)
          AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid AND t.tgrelid = relation)))
  ORDER BY attempt LIMIT 1
$$;
