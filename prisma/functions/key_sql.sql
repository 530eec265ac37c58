-- The SQL expression that gives a column's value as text in resource_id, in the form of json_sql.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."key_sql"(type oid, modifier integer, reference text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE
    WHEN b.typnamespace = 'pg_catalog'::regnamespace
      AND b.typname IN ('bool', 'int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'uuid')
    THEN reference || '::text'
    ELSE format('(to_jsonb(%s) #>> ''{}'')', "audit_logs_internal"."json_sql"(type, modifier, reference))
  END
  FROM "audit_logs_internal"."base_type"(type) AS b
$$;
