-- Up to when a log has partitions for every moment from now on: what is written then and later is refused. NULL where it has
-- none for now, 'infinity' for a log that is not partitioned.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."partitions_end"(log regclass) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  covered timestamptz;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = log AND relkind = 'p') THEN
    RETURN 'infinity';
  END IF;
  LOOP
    SELECT p.upper INTO moment FROM "audit_logs_internal"."partitions"(log) AS p WHERE p.lower <= moment AND p.upper > moment;
    EXIT WHEN moment IS NULL;
    covered := moment;
  END LOOP;
  RETURN covered;
END
$$;
