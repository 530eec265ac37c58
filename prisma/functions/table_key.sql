-- What a table is called among the settings: their names take no special characters.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."table_key"(relation oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT md5(format('%I.%I', n.nspname, c.relname))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;
