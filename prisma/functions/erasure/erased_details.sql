-- The details of an entry without personal values: null stays null. Details that are no object, which only SQL writes, become one
-- with the key "value", as the erasure has to be noted in them.
--
-- names: what to erase, fields of records and keys of the details, "target.id" among them. NULL: all but what an entry of
--   its kind needs to be understood
-- kept: the fields of records that stay where no names are given: their key
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_details"(details jsonb, verb text, names text[], kept jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE WHEN details IS NOT NULL THEN (
    SELECT coalesce(jsonb_object_agg(key, CASE
      WHEN value = 'null' THEN value
      WHEN key = 'erasure' AND jsonb_typeof(value) = 'object' THEN value
      WHEN key IN ('before', 'after') THEN "audit_logs_internal"."erased_record"(value, names, kept)
      WHEN key = 'target' AND jsonb_typeof(value) = 'object' AND 'target.id' = ANY (names) THEN value || '{"id": "[erased]"}'
      WHEN key = ANY (names) THEN '"[erased]"'
      WHEN names IS NOT NULL THEN value
      WHEN key IN ('operation', 'revertOf', 'cause')
        AND verb IN ('create', 'update', 'upsert', 'delete', 'connect', 'disconnect', 'truncate', 'read', 'execute', 'commit') THEN value
      WHEN key = 'source' AND jsonb_typeof(value) = 'object' THEN "audit_logs_internal"."erased_record"(value, NULL, '["role"]')
      WHEN verb IN ('create', 'update', 'delete') AND key = 'changed' THEN value
      WHEN verb IN ('connect', 'disconnect') AND key IN ('relation', 'target') THEN value
      WHEN verb = 'truncate' AND key IN ('rows', 'estimated', 'partition') THEN value
      WHEN verb = 'read' AND key IN ('ids', 'count', 'fields', 'via') THEN value
      ELSE '"[erased]"' END), '{}')
    FROM jsonb_each(CASE jsonb_typeof(details) WHEN 'object' THEN details ELSE jsonb_build_object('value', details) END)) END
$$;
