-- The condition that a table's columns are others than those that its trigger function spells out. None of this reads
-- a table: it runs for each row.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drift_sql"(relation oid, options jsonb, reference text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT string_agg(condition, ' OR ')
  FROM (
    -- NULL for a column that is not there. A new column gets the number after the last one, even a dropped one
    SELECT format('has_column_privilege(%s, %s::int2, ''SELECT'') IS NOT NULL',
      reference, (options -> 'columns')::int + ahead) AS condition
    FROM generate_series(1, 3) AS ahead
    UNION ALL
    -- two renames may give the name of a redacted column to another
    SELECT format('(pg_identify_object_as_address(1259::oid, %s, %s)).object_names[3] <> %L', reference, number, name)
    FROM "audit_logs_internal"."columns"(relation, options) WHERE redacted
  ) AS conditions
$$;
