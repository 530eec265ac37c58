-- Writes an entry about the log itself.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."record_own"(log text, action text, id text, details jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  EXECUTE replace("audit_logs_internal"."entry_sql"(log, quote_literal(action), '''auditLog''', quote_literal(id),
    quote_literal(details) || '::jsonb'), 'context', '$1')
  USING "audit_logs_internal"."attribution"();
END
$$;
