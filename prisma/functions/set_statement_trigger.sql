-- Makes a trigger before each statement on a table, with this argument, or removes it where there is none.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."set_statement_trigger"(
  relation oid, trigger_name text, wanted_state "char", wanted text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  current record;
BEGIN
  SELECT t.tgenabled AS state, "audit_logs_internal"."trigger_argument"(t.tgargs) AS argument INTO current
  FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgname = trigger_name AND NOT t.tgisinternal;
  IF wanted IS NULL THEN
    IF FOUND THEN
      EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, relation::regclass);
    END IF;
  ELSIF current.argument IS DISTINCT FROM wanted OR current.state IS DISTINCT FROM wanted_state THEN
    EXECUTE format(
      'CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."statement_begins"(%L)', trigger_name, relation::regclass, wanted);
    EXECUTE format('ALTER TABLE %s %s TRIGGER %I', relation::regclass,
      CASE wanted_state WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, trigger_name);
  END IF;
END
$$;
