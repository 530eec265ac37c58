-- The settings of the session that change the text of some values of a table, with PostgreSQL's defaults, as the clauses of
-- the function that writes its entries: only those that its types need, for each costs every row some time.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."settings_sql"(relation oid, options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH type AS (
    SELECT CASE WHEN element.typtype = 'e' THEN 'enum' WHEN element.typnamespace <> 'pg_catalog'::regnamespace THEN ''
      ELSE element.typname END AS name,
      element.oid <> base.oid AS is_array
    FROM "audit_logs_internal"."columns"(relation, options) AS c
    CROSS JOIN LATERAL "audit_logs_internal"."base_type"(c.type) AS base
    CROSS JOIN LATERAL "audit_logs_internal"."base_type"(
      CASE WHEN base.typcategory = 'A' AND base.typelem <> 0 THEN base.typelem ELSE base.oid END) AS element
    WHERE NOT c.redacted
  ), need AS (
    SELECT CASE
      WHEN name IN ('float4', 'float8') THEN '{extra_float_digits}'
      WHEN name = 'interval' THEN '{IntervalStyle}'
      -- arrays of these are text where they have three dimensions or more
      WHEN name IN ('timestamp', 'timestamptz') AND is_array THEN '{DateStyle,TimeZone}'
      WHEN name = 'bytea' AND is_array THEN '{bytea_output}'
      WHEN name IN ('enum', 'bool', 'int2', 'int4', 'int8', 'numeric', 'oid', 'text', 'varchar', 'bpchar', 'char', 'name', 'uuid',
        'inet', 'cidr', 'macaddr', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'bytea', 'bit', 'varbit',
        'json', 'jsonb', 'xml') THEN '{}'
      ELSE '{DateStyle,IntervalStyle,TimeZone,extra_float_digits,bytea_output}'
    END::text[] AS names
    FROM type
  )
  SELECT coalesce(string_agg(format(' SET %I = %L', setting.name, setting.value), '' ORDER BY setting.name), '')
  FROM (VALUES ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'), ('extra_float_digits', '1'),
    ('bytea_output', 'hex')) AS setting(name, value)
  WHERE EXISTS (SELECT FROM need WHERE setting.name = ANY (need.names))
$$;
