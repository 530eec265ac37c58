-- Locks a log against everybody, for the moment in which it becomes partitioned. Whoever writes waits behind a lock that is
-- waited for, so it is waited for only briefly at a time.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."lock_for_partitioning"(log regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
SET lock_timeout = '200ms'
AS $$
BEGIN
  FOR attempt IN 1..150 LOOP
    BEGIN
      EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', "audit_logs_internal"."log_name"(log));
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.2);
    END;
  END LOOP;
  RAISE EXCEPTION USING
    ERRCODE = '55P03',
    MESSAGE = format('the log %s cannot be locked: a transaction that has used it does not end', "audit_logs_internal"."log_name"(log)),
    HINT = 'Look for long transactions in pg_stat_activity, and try again. Nothing was changed.';
END
$$;
