-- The statement that gives the parts of an entry for a row of a table that changed since audit_logs_watch. Columns that
-- came since are there by their names, renamed ones stay redacted, for options know columns by their numbers.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drifted_sql"(relation oid, operation text, options jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  watched oid := coalesce(pg_partition_root(relation::regclass), relation);
  part record;
BEGIN
  SELECT * INTO part FROM "audit_logs_internal"."row_sql"(watched, options, '($1)', '($2)');
  RETURN CASE operation
    WHEN 'INSERT' THEN format('SELECT %s, NULL::jsonb, %s, NULL::text[]', part.id_after, part.row_after)
    WHEN 'DELETE' THEN format('SELECT %s, %s, NULL::jsonb, NULL::text[]', part.id_before, part.row_before)
    ELSE format('SELECT %s, %s, %s, %s', part.id_before, part.row_before, part.row_after, part.changed)
  END;
END
$$;
