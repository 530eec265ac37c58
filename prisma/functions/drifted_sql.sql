-- The parts of an entry about a row of a table that changed since audit_logs_watch, slower, by the catalog as it is now.
-- Columns that came since are there by their names, renamed ones stay redacted, for options know columns by their
-- numbers. Nothing is changed (changed is empty) where another trigger writes the entry.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drifted"(
  relation oid, trigger_name text, operation text, options jsonb, old_row anyelement, new_row anyelement,
  OUT row_id text, OUT before jsonb, OUT after jsonb, OUT changed text[]
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET "DateStyle" = 'ISO, MDY' SET "IntervalStyle" = 'postgres' SET "TimeZone" = 'UTC'
SET extra_float_digits = 1 SET bytea_output = 'hex'
AS $$
DECLARE
  self_key text := CASE WHEN operation = 'UPDATE' AND trigger_name LIKE '!%'
    THEN "audit_logs_internal"."self_key_sql"(relation, '($1)', '($2)') END;
  is_changed_again boolean := false;
BEGIN
  IF self_key IS NOT NULL THEN
    EXECUTE 'SELECT ' || self_key INTO is_changed_again USING old_row, new_row;
  END IF;
  IF is_changed_again THEN
    changed := '{}';
  ELSE
    EXECUTE "audit_logs_internal"."drifted_sql"(relation, operation, options)
    INTO row_id, before, after, changed USING old_row, new_row;
  END IF;
END
$$;

-- The statement that gives those parts, as parameters it has the row before and after.
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
