-- Protects a partition as the log itself is: the same triggers, which fire ALWAYS, and no privilege for anybody but the owner.
-- Reading and writing by way of the log needs none on its partitions.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."protect_partition"(log regclass, partition regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  name text := "audit_logs_internal"."log_name"(partition);
  refusal record;
BEGIN
  FOR refusal IN
    SELECT t.tgname, CASE t.tgtype WHEN 18 THEN 'UPDATE' WHEN 10 THEN 'DELETE' ELSE 'TRUNCATE' END AS event, t.tgfoid::regproc AS refuses
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgrelid = log AND t.tgtype IN (18, 10, 34) AND starts_with(t.tgname, c.relname || '_refuse_')
  LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE %s ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
      refusal.tgname, refusal.event, name, refusal.refuses);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', name, refusal.tgname);
  END LOOP;
  PERFORM "audit_logs_internal"."revoke_all"(partition);
END
$$;
