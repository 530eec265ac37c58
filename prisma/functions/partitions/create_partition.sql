-- Creates the partition of a month, whole before it is attached: attaching does not make writers wait, as creating it in its
-- place would.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."create_partition"(log regclass, lower timestamptz, upper timestamptz) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  partition text := (SELECT format('%I.%I', n.nspname, c.relname || to_char(lower, '_YYYY_MM'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
BEGIN
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS)', partition, log_table);
  PERFORM "audit_logs_internal"."give_to_owner"(log, partition);
  PERFORM "audit_logs_internal"."protect_partition"(log, partition);
  BEGIN
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', log_table, partition, lower, upper);
  EXCEPTION WHEN check_violation THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA006',
      MESSAGE = format('the default partition %s has entries of %s, so the month can''t be created', (SELECT "audit_logs_internal"."log_name"(partdefid)
        FROM pg_partitioned_table WHERE partrelid = log), to_char(lower, 'YYYY-MM')),
      HINT = 'Put its entries into months, as docs/partitions.md says.';
  END;
  RETURN partition;
END
$$;
