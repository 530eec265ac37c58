-- Whether changes of a table's rows are recorded by triggers.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."has_row_triggers"(relation oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT EXISTS (SELECT FROM pg_trigger t
    WHERE t.tgrelid = relation AND t.tgname LIKE '%!audit\_logs\_row%' AND NOT t.tgisinternal)
$$;
