-- The SQL expression that gives a redacted column's value as entries have it: null stays null.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."mask_sql"(type oid, reference text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  -- IS NULL looks into a composite value
  SELECT format('CASE WHEN %s THEN ''[redacted]''::text END',
    format(CASE ("audit_logs_internal"."base_type"(type)).typtype WHEN 'c' THEN 'num_nonnulls(%s) = 1' ELSE '%s IS NOT NULL' END,
      reference))
$$;
