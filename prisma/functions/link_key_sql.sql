-- The SQL expression for one side's key in a row of an implicit many-to-many table, a format with the row as %1$s. Its
-- column is known by its number, so it may have another name by now. NULL::text where it has been dropped.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."link_key_sql"(relation oid, options jsonb, side text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT coalesce((
    SELECT CASE
      WHEN c.redacted THEN format('CASE WHEN %%1$s.%1$I IS NOT NULL THEN ''[redacted]'' END', replaced.name)
      ELSE format('left(%s, 255)', "audit_logs_internal"."key_sql"(c.type, c.modifier, format('%%1$s.%I', replaced.name)))
    END
    FROM "audit_logs_internal"."columns"(relation, options) AS c
    CROSS JOIN LATERAL (SELECT replace(c.name, '%', '%%') AS name) AS replaced
    WHERE c.number = (options #>> ARRAY['link', side, 'number'])::int), 'NULL::text')
$$;

-- The keys in a row of an implicit many-to-many table that changed since audit_logs_watch, see drifted.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."drifted_link"(
  relation oid, options jsonb, old_row anyelement, new_row anyelement,
  OUT a_before text, OUT b_before text, OUT a_after text, OUT b_after text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET "DateStyle" = 'ISO, MDY' SET "IntervalStyle" = 'postgres' SET "TimeZone" = 'UTC'
SET extra_float_digits = 1 SET bytea_output = 'hex'
AS $$
DECLARE
  a_key text := "audit_logs_internal"."link_key_sql"(relation, options, 'A');
  b_key text := "audit_logs_internal"."link_key_sql"(relation, options, 'B');
BEGIN
  EXECUTE concat_ws(', ', 'SELECT ' || format(a_key, '($1)'), format(b_key, '($1)'), format(a_key, '($2)'), format(b_key, '($2)'))
  INTO a_before, b_before, a_after, b_after USING old_row, new_row;
END
$$;
