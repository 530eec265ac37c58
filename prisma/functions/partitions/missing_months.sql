-- The months from "since" until so many months after the present one that a partitioned log has no partition for, in UTC.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."missing_months"(log regclass, ahead integer, since timestamptz DEFAULT NULL)
RETURNS TABLE (lower timestamptz, upper timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog
SET TimeZone = 'UTC'
AS $$
  SELECT m, m + interval '1 month'
  FROM date_trunc('month', clock_timestamp()) AS present, generate_series(
    least(date_trunc('month', since), present), present + ahead * interval '1 month', interval '1 month') AS m
  -- a default partition takes what no other is for, and is none for a month
  WHERE NOT EXISTS (SELECT FROM "audit_logs_internal"."partitions"(log) AS p WHERE p.lower < m + interval '1 month' AND p.upper > m
      AND p.partition <> ALL (SELECT partdefid FROM pg_partitioned_table WHERE partrelid = log))
    AND EXISTS (SELECT FROM pg_class WHERE oid = log AND relkind = 'p')
  ORDER BY 1
$$;
