-- A table with its schema, quoted where needed: how the tables of this schema name a log.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."log_name"(log regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log
$$;
