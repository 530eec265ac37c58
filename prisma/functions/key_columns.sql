-- The names of a table's primary key columns, in the order of the key. NULL without one.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."key_columns"(relation oid) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT array_agg(a.attname::text ORDER BY k.ordinality)
  FROM pg_index i
  CROSS JOIN LATERAL unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, ordinality)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = relation AND i.indisprimary
$$;
