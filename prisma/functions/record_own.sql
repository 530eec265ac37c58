-- Writes an entry about the log itself.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."record_own"(log text, action text, id text, details jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  EXECUTE "audit_logs_internal"."entry_sql"(log, '$2', '''auditLog''', 'left($3, 255)', '$4', '(SELECT $1 AS context) AS c')
  USING "audit_logs_internal"."attribution"(), action, id, details;
END
$$;
