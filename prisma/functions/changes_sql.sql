-- The query that gives the changes of a statement from its transition tables, which are called __audit_before and
-- __audit_after: row_id, before, after, changed.
--
-- part: the expressions of row_sql for rows called OLD and NEW
-- is_reached: referential actions updated the rows, maybe several of them the same row
CREATE OR REPLACE FUNCTION "audit_logs_internal"."changes_sql"(relation oid, part jsonb, operation text, is_reached boolean)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  rows_before text := 'SELECT row_number() OVER () AS __audit_position, * FROM __audit_before';
  rows_after text := 'SELECT row_number() OVER () AS __audit_position, * FROM __audit_after';
  -- both tables are filled in the same order
  is_pair text := 'OLD.__audit_position = NEW.__audit_position';
  key_columns text[] := "audit_logs_internal"."key_columns"(relation);
BEGIN
  IF operation = 'INSERT' THEN
    RETURN format('SELECT %s AS row_id, NULL::jsonb AS before, %s AS after, NULL::text[] AS changed FROM __audit_after AS NEW',
      part ->> 'id_after', part ->> 'row_after');
  ELSIF operation = 'DELETE' THEN
    RETURN format('SELECT %s AS row_id, %s AS before, NULL::jsonb AS after, NULL::text[] AS changed FROM __audit_before AS OLD',
      part ->> 'id_before', part ->> 'row_before');
  END IF;
  IF is_reached AND key_columns IS NOT NULL THEN
    -- they left its key alone, so what a row was at first goes with what it was at last. Keys are compared by the
    -- operators of their types, wherever those are
    SELECT
      format('SELECT DISTINCT ON (%s) * FROM (%s) AS r ORDER BY %1$s, __audit_position', list, rows_before),
      format('SELECT DISTINCT ON (%s) * FROM (%s) AS r ORDER BY %1$s, __audit_position DESC', list, rows_after),
      format('ROW(%s)::record = ROW(%s)::record', before, after)
    INTO rows_before, rows_after, is_pair
    FROM (
      SELECT string_agg(quote_ident(name), ', ') AS list, string_agg(format('OLD.%I', name), ', ') AS before,
        string_agg(format('NEW.%I', name), ', ') AS after
      FROM unnest(key_columns) AS name
    ) AS key;
  END IF;
  -- each row has its pair, so FULL JOIN gives what JOIN would. But it is never done by nested loops, which the plan that
  -- a session keeps from a first statement with few rows would be
  RETURN format(
    'SELECT * FROM (
      SELECT %s AS row_id, %s AS before, %s AS after, %s AS changed
      FROM (%s) AS OLD FULL JOIN (%s) AS NEW ON %s
      ORDER BY OLD.__audit_position
    ) AS pair WHERE changed <> ''{}''',
    part ->> 'id_before', part ->> 'row_before', part ->> 'row_after', part ->> 'changed', rows_before, rows_after, is_pair);
END
$$;
