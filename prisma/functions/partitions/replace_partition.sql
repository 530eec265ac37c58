-- Puts a table in the place of a partition, under its name, or nothing. Writers wait for a moment. The partition is dropped with
-- what is in it. Whoever calls this holds a lock that keeps others from writing to it, and knows that its entries are elsewhere.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."replace_partition"(
  log regclass, partition regclass, beside regclass, lower timestamptz, upper timestamptz
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  name text := (SELECT relname FROM pg_class WHERE oid = partition);
  old_table text := "audit_logs_internal"."log_name"(partition);
  bound text := CASE WHEN lower = '-infinity' THEN 'MINVALUE' ELSE quote_literal(lower) END;
BEGIN
  IF beside IS NOT NULL THEN
    PERFORM "audit_logs_internal"."protect_partition"(log, beside);
    -- attaching believes it, and so does not read all entries while everybody waits
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT "partition_bounds" CHECK ("timestamp" IS NOT NULL AND "timestamp" < %L%s)',
      "audit_logs_internal"."log_name"(beside), upper, CASE WHEN lower = '-infinity' THEN '' ELSE format(' AND "timestamp" >= %L', lower) END);
  END IF;
  PERFORM "audit_logs_internal"."lock_for_partitioning"(log);
  IF partition IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', log_table, old_table);
    EXECUTE format('DROP TABLE %s', old_table);
  END IF;
  IF beside IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s RENAME TO %I', "audit_logs_internal"."log_name"(beside),
      coalesce(name, (SELECT relname FROM pg_class WHERE oid = log)
        || CASE WHEN lower = '-infinity' THEN to_char(upper, '_"before"_YYYY_MM') ELSE to_char(lower, '_YYYY_MM') END));
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%L)',
      log_table, "audit_logs_internal"."log_name"(beside), bound, upper);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT "partition_bounds"', "audit_logs_internal"."log_name"(beside));
  END IF;
END
$$;
