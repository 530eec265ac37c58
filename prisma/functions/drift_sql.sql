-- The condition that a table's columns are others than those that its trigger function spells out. None of this reads
-- a table: it runs for each row.
--
-- reference: an expression for the table's oid
-- further: one more condition, or NULL
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drift_sql"(relation oid, options jsonb, reference text, further text)
RETURNS text
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
    -- a restored table has fewer numbers than the one that was dumped, if a column of that one had been dropped
    SELECT format('has_column_privilege(%s, %s::int2, ''SELECT'') IS NULL', reference, max(number))
    FROM "audit_logs_internal"."columns"(relation, options)
    HAVING count(*) > 0
    UNION ALL
    -- two renames may give the name of a redacted column to another. The description is the quick way to see that none
    -- has, the other is right for a renamed table and in every language, too
    SELECT format('pg_describe_object(1259::oid, %1$s, %2$s) <> %3$L
        AND (pg_identify_object_as_address(1259::oid, %1$s, %2$s)).object_names[3] <> %4$L',
      reference, number, pg_describe_object(1259::oid, relation, number), name)
    FROM "audit_logs_internal"."columns"(relation, options) WHERE redacted
    UNION ALL
    -- never evaluated, but parsed: another type of column would not be there to compare with
    SELECT format('(CASE WHEN false THEN %s END)', string_agg(
      format('ARRAY[NEW.%I] = NULL::%s', name, CASE WHEN t.typcategory = 'A' THEN format_type(type, NULL) ELSE format_type(t.typarray, NULL) END),
      ' AND ' ORDER BY number))
    FROM "audit_logs_internal"."columns"(relation, options) JOIN pg_type t ON t.oid = type
    WHERE computed IS NULL AND NOT redacted AND (t.typcategory = 'A' OR t.typarray <> 0)
    HAVING count(*) > 0
    UNION ALL
    SELECT further WHERE further IS NOT NULL
  ) AS conditions
$$;
