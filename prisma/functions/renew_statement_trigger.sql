-- Makes the trigger before each statement on a table such as it has to be now, or removes it where neither the table nor
-- anything that its changes reach is watched.
--
-- resource, options: how the table is watched from now on, NULL where it is not
CREATE OR REPLACE FUNCTION "audit_logs_internal"."renew_statement_trigger"(relation oid, resource text, options jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  current record;
  wanted text;
  state "char" := coalesce(
    (SELECT t.tgenabled FROM pg_trigger t
      WHERE t.tgrelid = relation AND t.tgname LIKE '%!audit\_logs\_row%' ORDER BY t.tgname LIMIT 1), 'A');
BEGIN
  SELECT * INTO current FROM "audit_logs_internal"."watched"() AS w WHERE w.relation = renew_statement_trigger.relation;
  IF options IS NULL AND NOT EXISTS (
    SELECT FROM "audit_logs_internal"."reached"(relation, 'down') AS r(oid) WHERE "audit_logs_internal"."has_row_triggers"(r.oid))
  THEN
    IF current.relation IS NOT NULL THEN
      EXECUTE format('DROP TRIGGER "!audit_logs_statement" ON %s', relation::regclass);
    END IF;
    RETURN;
  END IF;
  resource := coalesce(resource, (SELECT lower(left(relname, 1)) || substr(relname, 2) FROM pg_class WHERE oid = relation));
  wanted := concat_ws(' ', "audit_logs_internal"."table_key"(relation),
    "audit_logs_internal"."fingerprint"(relation, resource, options), replace(resource, ' ', '_'), options);
  IF current.argument IS DISTINCT FROM wanted OR current.enabled IS DISTINCT FROM state THEN
    EXECUTE format(
      'CREATE OR REPLACE TRIGGER "!audit_logs_statement" BEFORE INSERT OR UPDATE OR DELETE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."statement_begins"(%L)', relation::regclass, wanted);
    EXECUTE format('ALTER TABLE %s %s TRIGGER "!audit_logs_statement"', relation::regclass,
      CASE state WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END);
  END IF;
END
$$;
