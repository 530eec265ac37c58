-- The SQL expression that says whether two values of a column differ. Where equal means the same stored value, the
-- type's own equality tells, for the others (numeric 1.0 = 1.00, citext 'a' = 'A', json, which has none) PostgreSQL's
-- comparison of record images does (manual, "Composite Type Comparison").
CREATE OR REPLACE FUNCTION "audit_logs_internal"."differs_sql"(type oid, before text, after text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE
    WHEN b.typnamespace = 'pg_catalog'::regnamespace AND b.typname IN (
      'bool', 'int2', 'int4', 'int8', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'bytea')
    THEN format('%s IS DISTINCT FROM %s', before, after)
    ELSE format('ROW(%s)::record *<> ROW(%s)::record', before, after)
  END
  FROM "audit_logs_internal"."base_type"(type) AS b
$$;
