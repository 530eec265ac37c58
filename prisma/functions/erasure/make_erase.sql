-- Makes the function by which entries are erased. Its body names the log's schema, for whatever search_path a caller has. It writes with its
-- owner's privileges: nobody may call it, until its owner grants EXECUTE.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_erase"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  eraser text := (SELECT format('%I.%I', n.nspname, make_erase.name) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
BEGIN
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION %s(subject jsonb, reason text, fields text[] DEFAULT NULL, keys jsonb DEFAULT NULL, context jsonb DEFAULT NULL)
    RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS %L', eraser, format(
$body$
DECLARE
  result jsonb := "audit_logs_internal"."erase_entries"(%1$L, subject, reason, fields, keys,
    coalesce(context, "audit_logs_internal"."attribution"()));
BEGIN
  PERFORM "audit_logs_internal"."keep_erasure"(%1$L, subject, reason, fields, keys);
  RETURN result;
END
$body$, "audit_logs_internal"."log_name"(log)));
  EXECUTE format('REVOKE ALL ON FUNCTION %s(jsonb, text, text[], jsonb, jsonb) FROM PUBLIC', eraser);
END
$$;
