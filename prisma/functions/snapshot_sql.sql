-- The expression for a row in the details of an update: the whole of it, or what changed.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."snapshot_sql"(options jsonb, value text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE options ->> 'snapshot' WHEN 'changed' THEN format(
    '(SELECT jsonb_object_agg(field.key, field.value) FROM jsonb_each(%s) AS field WHERE field.key = ANY (changed))', value)
    ELSE value END
$$;
