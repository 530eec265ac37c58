-- The name of the log that a table is, or is a partition of.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."root_name"(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT "audit_logs_internal"."log_name"(coalesce(pg_partition_root(relation), relation))
$$;
