-- The partitions of a log in order: from "lower", inclusive, to "upper", exclusive, and whether nobody can change or remove
-- entries by addressing the partition itself. The statement triggers of a partitioned table fire for statements that name it only.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."partitions"(log regclass)
RETURNS TABLE (partition regclass, lower timestamptz, upper timestamptz, is_protected boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
AS $$
  SELECT c.oid, coalesce(substring(bound FROM '^FOR VALUES FROM \(''([^'']*)''\)'), '-infinity')::timestamptz AS lower,
    coalesce(substring(bound FROM 'TO \(''([^'']*)''\)$'), 'infinity')::timestamptz,
    -- BEFORE and for each statement: 2, and 16, 8 or 32 for UPDATE, DELETE or TRUNCATE
    (SELECT count(DISTINCT tgtype) = 3 FROM pg_trigger WHERE tgrelid = c.oid AND tgtype IN (18, 10, 34) AND tgenabled = 'A'
      AND tgqual IS NULL AND tgattr = '' AND tgfoid IN (SELECT tgfoid FROM pg_trigger WHERE tgrelid = log AND tgtype = 34))
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound
  WHERE i.inhparent = log AND c.relispartition ORDER BY 2, 1
$$;
