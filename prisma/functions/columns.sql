-- The columns of a table as its entries have them.
--
-- options: as normalized_options gives them: columns by their numbers, which a rename leaves alone, and what each was called.
--   pg_restore numbers columns anew where one had been dropped, so a column that still has a name of then is known by it.
--   In doubt it is redacted
CREATE OR REPLACE FUNCTION "audit_logs_internal"."columns"(relation oid, options jsonb)
RETURNS TABLE (
  number integer, name text, field text, type oid, modifier integer, redacted boolean, ignored boolean, computed text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT a.attnum, a.attname::text, f.field, a.atttypid, a.atttypmod,
    options -> 'redact' @> to_jsonb(a.attnum::int) OR options -> 'redact' @> to_jsonb(known.number)
      -- a column that came after the options were given, or was renamed, is also redacted if its name now says secret
      OR (options -> 'redactSecrets')::boolean AND "audit_logs_internal"."is_secret"(f.field),
    options -> 'ignore' @> to_jsonb(known.number),
    -- a virtual generated column (PostgreSQL 18) is not computed when triggers fire
    CASE WHEN a.attgenerated = 'v' THEN pg_get_expr(d.adbin, d.adrelid) END
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN jsonb_each_text(options -> 'names') AS n ON n.value = a.attname::text
  CROSS JOIN LATERAL (SELECT coalesce(n.key::int, a.attnum::int) AS number) AS known
  CROSS JOIN LATERAL (SELECT coalesce(options #>> ARRAY['fields', known.number::text], a.attname::text) AS field) AS f
  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum
$$;
