-- The condition that a table's columns are others than those that its trigger function spells out. None of this reads
-- a table: it runs for each row, or each statement.
--
-- reference: an expression for the table's oid
-- row_name: OLD or NEW
-- is_query: it stands in a query whose FROM has the row. Such a query is parsed again when the table's columns change, so
--   there the parser counts them, at no cost
-- further: one more condition, or NULL
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drift_sql"(
  relation oid, options jsonb, reference text, row_name text, is_query boolean, further text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH expected AS (
    SELECT c.*, t.typcategory, t.typarray
    FROM "audit_logs_internal"."columns"(relation, options) AS c JOIN pg_type t ON t.oid = c.type
  )
  SELECT string_agg(condition, ' OR ')
  FROM (
    -- NULL for a column that is not there. A new column gets the number after the last one, even a dropped one
    SELECT format('has_column_privilege(%s, %s::int2, ''SELECT'') IS NOT NULL',
      reference, (options -> 'columns')::int + ahead) AS condition
    FROM generate_series(1, 3) AS ahead
    WHERE NOT is_query OR NOT EXISTS (SELECT FROM expected)
    UNION ALL
    -- a restored table has fewer numbers than the one that was dumped, if a column of that one had been dropped
    SELECT format('has_column_privilege(%s, %s::int2, ''SELECT'') IS NULL', reference, max(number))
    FROM expected
    HAVING CASE WHEN is_query THEN bool_or(redacted) ELSE count(*) > 0 END
    UNION ALL
    -- two renames may give the name of a redacted column to another. The description is the quick way to see that none
    -- has, the other is right for a renamed table and in every language, too
    SELECT format('pg_describe_object(1259::oid, %1$s, %2$s) <> %3$L
        AND (pg_identify_object_as_address(1259::oid, %1$s, %2$s)).object_names[3] <> %4$L',
      reference, number, pg_describe_object(1259::oid, relation, number), name)
    FROM expected WHERE redacted
    UNION ALL
    -- never evaluated, but parsed: another type of column would not be there to compare with
    SELECT format('(CASE WHEN false THEN %s END)', string_agg(
      format('ARRAY[%s.%I] = NULL::%s', row_name, name, format_type(CASE WHEN typcategory = 'A' THEN type ELSE typarray END, NULL)),
      ' AND ' ORDER BY number))
    FROM expected
    WHERE computed IS NULL AND NOT redacted AND (typcategory = 'A' OR typarray <> 0)
    HAVING count(*) > 0
    UNION ALL
    -- so is this: another number of columns is an error of syntax
    SELECT format('(CASE WHEN false THEN EXISTS (SELECT %s.* UNION ALL SELECT %s) END)', row_name, string_agg(
      'NULL::' || format_type(type, NULL), ', ' ORDER BY number))
    FROM expected
    WHERE is_query
    HAVING count(*) > 0
    UNION ALL
    SELECT further WHERE further IS NOT NULL
  ) AS conditions
$$;
