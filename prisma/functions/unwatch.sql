-- Removes what audit_logs_watch made. Recorded as auditLog.unwatch. Gives false where the table was not watched.
--
-- SELECT audit_logs_unwatch('"public"."users"')
CREATE OR REPLACE FUNCTION "audit_logs_unwatch"(relation regclass) RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  log oid := (SELECT typrelid FROM pg_catalog.pg_type WHERE oid = pg_catalog.pg_typeof(NULL::"audit_logs"));
BEGIN
  RETURN "audit_logs_internal"."unwatch"(relation, log);
END
$$;
