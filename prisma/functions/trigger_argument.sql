-- The one argument of a trigger: pg_trigger.tgargs has a zero byte behind it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."trigger_argument"(arguments bytea) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT convert_from(substring(arguments FOR octet_length(arguments) - 1), getdatabaseencoding())
$$;
