-- Says how far the entries of a log reach that is about to be partitioned, by a CHECK that is still to be validated: until the
-- end of a month that has two days left at least, and that comes after all there is. Gives the moment.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."bound_log"(log regclass, newest timestamptz) RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
DECLARE
  log_table text := "audit_logs_internal"."log_name"(log);
  bound text := (SELECT relname || '_partition_bound' FROM pg_class WHERE oid = log);
  until timestamptz := date_trunc('month', greatest(clock_timestamp() + interval '2 days', newest)) + interval '1 month';
BEGIN
  PERFORM "audit_logs_internal"."refuse_unfit"(log);
  PERFORM "audit_logs_internal"."lock_for_partitioning"(log);
  EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', log_table, bound);
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK ("timestamp" < %L) NOT VALID', log_table, bound, until);
  RETURN until;
END
$$;
