-- Creates the partitions that a log lacks until so many months after the present one, and from "since" on, and protects those
-- that others created. Gives the names of both. One at a time does so, and writers do not wait.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."create_partitions"(log regclass, ahead integer, since timestamptz DEFAULT NULL)
RETURNS TABLE (partition text, is_new boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = log AND relkind = 'p') THEN
    RETURN;
  END IF;
  EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', "audit_logs_internal"."log_name"(log));
  RETURN QUERY SELECT "audit_logs_internal"."create_partition"(log, m.lower, m.upper), true
    FROM "audit_logs_internal"."missing_months"(log, ahead, since) AS m;
  RETURN QUERY SELECT "audit_logs_internal"."log_name"(p.partition), false
    FROM "audit_logs_internal"."partitions"(log) AS p
    CROSS JOIN LATERAL "audit_logs_internal"."protect_partition"(log, p.partition)
    WHERE NOT p.is_protected;
END
$$;
