-- Removes the triggers that record a table, with their functions: those of its partitions, too, and of a table that was
-- one once.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drop_row_triggers"(relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  functions oid[];
  found record;
BEGIN
  functions := ARRAY(SELECT DISTINCT p.oid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = relation AND t.tgname LIKE '%!audit\_logs\_row%'
      AND p.pronamespace = '"audit_logs_internal"'::regnamespace);
  FOR found IN SELECT t.tgname, t.tgrelid::regclass AS name FROM pg_trigger t
    WHERE (t.tgfoid = ANY (functions) OR t.tgrelid = relation AND t.tgname LIKE '%!audit\_logs\_row%')
      AND t.tgparentid = 0 AND NOT t.tgisinternal
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.name);
  END LOOP;
  FOR found IN SELECT unnest(functions)::regprocedure AS name LOOP
    EXECUTE format('DROP FUNCTION %s', found.name);
  END LOOP;
END
$$;
