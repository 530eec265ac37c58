-- The quoted name of a table's trigger function. A name holds 63 bytes.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."function_name"(relation oid, kind text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT '"audit_logs_internal".' || quote_ident(
    CASE WHEN octet_length(full_name) <= 63 THEN full_name ELSE md5(full_name) || ' ' || kind END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT concat_ws(' ', n.nspname || '.' || c.relname, kind) AS full_name) AS f
  WHERE c.oid = relation
$$;
