-- Removes what audit_logs_watch made. Recorded as auditLog.unwatch. Gives false where the table was not watched.
--
-- SELECT audit_logs_unwatch('"public"."users"')
CREATE OR REPLACE FUNCTION "audit_logs_unwatch"(relation regclass) RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET quote_all_identifiers = off
AS $$
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"));
BEGIN
  IF NOT pg_catalog.has_table_privilege(log, 'INSERT') OR NOT pg_catalog.has_schema_privilege('"audit_logs_internal"'::pg_catalog.regnamespace, 'USAGE') THEN
    RAISE EXCEPTION USING
      ERRCODE = '42501',
      MESSAGE = pg_catalog.format('the role %I may not change what is watched', current_user),
      HINT = 'Do it with the role that owns the log.';
  END IF;
  RETURN "audit_logs_internal"."unwatch"(relation, log);
END
$$;
