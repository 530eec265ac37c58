-- Removes the triggers that record a table, with their functions.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drop_row_triggers"(relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT t.tgname FROM pg_trigger t
    WHERE t.tgrelid = relation AND t.tgname LIKE '%!audit\_logs\_row%' AND NOT t.tgisinternal
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', name, relation::regclass);
  END LOOP;
  EXECUTE format('DROP FUNCTION IF EXISTS %s(); DROP FUNCTION IF EXISTS %s()',
    "audit_logs_internal"."function_name"(relation, NULL), "audit_logs_internal"."function_name"(relation, 'truncate'));
END
$$;
