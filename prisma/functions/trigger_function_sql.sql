-- The statements that make a trigger function with this body. It writes to the log with the privileges of its owner, and
-- sees its own names only. Nobody else may attach it to a table, which would forge entries.
--
-- settings: as settings_sql gives them
CREATE OR REPLACE FUNCTION "audit_logs_internal"."trigger_function_sql"(name text, settings text, body text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT format(
    'CREATE OR REPLACE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog%2$s AS %3$L;
     REVOKE ALL ON FUNCTION %1$s() FROM PUBLIC;', name, settings, body)
$$;
