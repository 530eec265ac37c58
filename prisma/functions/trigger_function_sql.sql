-- The statements that make a trigger function with this body. It writes to the log with the privileges of its owner, and
-- sees its own names only. Nobody else may attach it to a table, which would forge entries. Settings of the session
-- change the text of some values, so they are those of PostgreSQL's defaults in here.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."trigger_function_sql"(name text, body text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT format(
    'CREATE OR REPLACE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog SET "DateStyle" = ''ISO, MDY'' SET "IntervalStyle" = ''postgres'' SET "TimeZone" = ''UTC''
       SET extra_float_digits = 1 SET bytea_output = ''hex'' AS %2$L;
     REVOKE ALL ON FUNCTION %1$s() FROM PUBLIC;', name, body)
$$;
