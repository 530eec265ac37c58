-- The SQL expressions that give the parts of an entry about one row.
--
-- before, after: expressions for the row as it was and as it is, such as OLD and NEW
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_sql"(
  relation oid, options jsonb, before text, after text,
  OUT id_before text, OUT id_after text, OUT row_before text, OUT row_after text, OUT changed text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  key_columns text[] := "audit_logs_internal"."key_columns"(relation);
  is_unbounded boolean;
BEGIN
  WITH cell AS (
    SELECT c.*, side.name AS side,
      CASE
        WHEN c.computed IS NULL THEN format('%s.%I', side.reference, c.name)
        -- the expression names the other columns of its row
        ELSE format('(SELECT %s FROM (SELECT %s) AS __audit_row)', c.computed, (
          SELECT string_agg(format('%s.%I AS %2$I', side.reference, other.name), ', ')
          FROM "audit_logs_internal"."columns"(relation, options) AS other WHERE other.computed IS NULL))
      END AS reference
    FROM "audit_logs_internal"."columns"(relation, options) AS c
    CROSS JOIN (VALUES ('before', before), ('after', after)) AS side(name, reference)
  ), value AS (
    SELECT cell.*,
      CASE WHEN redacted THEN "audit_logs_internal"."mask_sql"(type, reference)
        ELSE "audit_logs_internal"."json_sql"(type, modifier, reference) END AS json
    FROM cell
  ), object AS (
    -- PostgreSQL takes at most 100 arguments in a call
    SELECT side, string_agg(part, ' || ' ORDER BY chunk) AS json
    FROM (
      SELECT side, chunk, format('jsonb_build_object(%s)', string_agg(format('%L, %s', field, json), ', ' ORDER BY number)) AS part
      FROM (SELECT value.*, (row_number() OVER (PARTITION BY side ORDER BY number) - 1) / 50 AS chunk FROM value) AS v
      GROUP BY side, chunk
    ) AS parts
    GROUP BY side
  ), key AS (
    SELECT side,
      CASE WHEN count(*) = 1 THEN min(text)
        ELSE '''['' || ' || string_agg(format('to_json(%s)::text', text), ' || '','' || ' ORDER BY array_position(key_columns, name))
          || ' || '']''' END AS text
    FROM (
      SELECT side, name, CASE WHEN redacted THEN json
        ELSE "audit_logs_internal"."key_sql"(type, modifier, reference) END AS text
      FROM value WHERE name = ANY (key_columns)
    ) AS parts
    GROUP BY side
  )
  SELECT
    (SELECT text FROM key WHERE side = 'before'), (SELECT text FROM key WHERE side = 'after'),
    (SELECT json FROM object WHERE side = 'before'), (SELECT json FROM object WHERE side = 'after'),
    (SELECT string_agg(format('CASE WHEN %s THEN %L END',
        "audit_logs_internal"."differs_sql"(b.type, b.reference, a.reference), b.field), ', ' ORDER BY b.number)
      FROM cell AS b JOIN cell AS a ON a.number = b.number AND a.side = 'after'
      WHERE b.side = 'before' AND NOT b.ignored)
  INTO id_before, id_after, row_before, row_after, changed;

  SELECT bool_or(t.typnamespace <> 'pg_catalog'::regnamespace
      OR t.typname NOT IN ('bool', 'int2', 'int4', 'int8', 'uuid', 'date', 'timestamp', 'timestamptz'))
  INTO is_unbounded
  FROM "audit_logs_internal"."columns"(relation, options) AS c
  CROSS JOIN LATERAL "audit_logs_internal"."base_type"(c.type) AS t
  WHERE c.name = ANY (key_columns);
  IF is_unbounded THEN
    id_before := format('left(%s, 255)', id_before);
    id_after := format('left(%s, 255)', id_after);
  END IF;
  id_before := coalesce(id_before, 'NULL::text');
  id_after := coalesce(id_after, 'NULL::text');
  row_before := coalesce(row_before, '''{}''::jsonb');
  row_after := coalesce(row_after, '''{}''::jsonb');
  changed := coalesce('array_remove(ARRAY[' || changed || '], NULL)', '''{}''::text[]');
END
$$;
