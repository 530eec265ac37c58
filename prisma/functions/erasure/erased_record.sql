-- A record of "before" or "after" without its values. Null stays null.
--
-- names: the fields to erase. NULL: all but those in "kept"
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_record"(record jsonb, names text[], kept jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE jsonb_typeof(record)
    WHEN 'object' THEN (
      SELECT coalesce(jsonb_object_agg(key, CASE
        WHEN value = 'null' OR NOT coalesce(key = ANY (names), NOT kept ? key, true) THEN value
        ELSE '"[erased]"' END), '{}')
      FROM jsonb_each(record))
    WHEN 'null' THEN record
    ELSE CASE WHEN names IS NULL THEN '"[erased]"' ELSE record END
  END
$$;
