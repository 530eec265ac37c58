CREATE OR REPLACE FUNCTION "audit_logs_internal"."unwatch"(relation oid, log oid) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  log_table text := (SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
  name text := (SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
  was_watched boolean;
  previous record;
  child oid;
BEGIN
  PERFORM "audit_logs_internal"."lock_with_ancestors"(relation);
  SELECT * INTO previous FROM "audit_logs_internal"."watched"() AS w
  WHERE w.relation = unwatch.relation AND w.options IS NOT NULL;
  was_watched := previous.relation IS NOT NULL OR "audit_logs_internal"."has_row_triggers"(relation);
  IF was_watched THEN
    PERFORM "audit_logs_internal"."drop_row_triggers"(relation);
    PERFORM "audit_logs_internal"."renew_statement_trigger"(relation, NULL, NULL);
    PERFORM "audit_logs_internal"."renew_ancestors"(relation);
    PERFORM "audit_logs_internal"."record_own"(log_table, 'auditLog.unwatch', name, jsonb_strip_nulls(jsonb_build_object(
      'table', name, 'resource', previous.resource)));
  END IF;
  FOR child IN SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = relation AND NOT c.relispartition
  LOOP
    IF "audit_logs_internal"."unwatch"(child, log) THEN
      was_watched := true;
    END IF;
  END LOOP;
  RETURN was_watched;
END
$$;
