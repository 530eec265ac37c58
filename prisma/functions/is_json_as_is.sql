-- Whether to_jsonb of a built-in type is the value that entries have.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_json_as_is"(type pg_type) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT type.typnamespace = 'pg_catalog'::regnamespace AND type.typname IN (
    'bool', 'int2', 'int4', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'uuid', 'inet', 'cidr',
    'date', 'time', 'timetz', 'interval', 'xml', 'jsonb')
$$;
