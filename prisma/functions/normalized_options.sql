-- The options of audit_logs_watch, checked, with columns by their numbers and every default in place.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."normalized_options"(relation oid, options jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  problem text;
  fields jsonb := coalesce(options -> 'fields', '{}');
  redact_secrets boolean := coalesce((options -> 'redactSecrets')::boolean, true);
BEGIN
  SELECT format('the unknown key %I', key) INTO problem FROM jsonb_object_keys(options) AS key
  WHERE key NOT IN ('fields', 'redact', 'redactSecrets', 'ignore', 'snapshot', 'link', 'origin') LIMIT 1;
  IF problem IS NULL AND coalesce(options ->> 'snapshot', 'full') NOT IN ('full', 'changed') THEN
    problem := 'a snapshot that is neither full nor changed';
  END IF;
  IF problem IS NULL THEN
    SELECT format('the field %I, and the table has no such column', listed.name) INTO problem
    FROM (
      SELECT jsonb_array_elements_text(coalesce(options -> 'redact', '[]') || coalesce(options -> 'ignore', '[]'))
      UNION ALL SELECT jsonb_object_keys(fields)
    ) AS listed(name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
      WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
        AND listed.name IN (a.attname::text, fields ->> a.attname::text))
    LIMIT 1;
  END IF;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA004',
      MESSAGE = format('the options of %s have %s', relation::regclass, problem),
      HINT = 'Options are fields { column: field }, redact [field], redactSecrets, ignore [field], snapshot, link and origin.';
  END IF;
  RETURN (
    SELECT jsonb_build_object(
      'columns', (SELECT c.relnatts FROM pg_class c WHERE c.oid = relation),
      -- what the function spells out: another one later means that a migration changed the table since
      'shape', (SELECT md5(string_agg(concat_ws(' ', s.attnum, s.attname, t.typname, s.atttypmod), ', ' ORDER BY s.attnum))
        FROM pg_attribute s JOIN pg_type t ON t.oid = s.atttypid
        WHERE s.attrelid = relation AND s.attnum > 0 AND NOT s.attisdropped),
      'snapshot', coalesce(options ->> 'snapshot', 'full'),
      'redactSecrets', redact_secrets,
      'redact', coalesce(jsonb_agg(a.attnum::int ORDER BY a.attnum) FILTER (WHERE
        coalesce(options -> 'redact', '[]') ?| ARRAY[a.attname::text, f.field]
        OR redact_secrets AND "audit_logs_internal"."is_secret"(f.field)), '[]'),
      'ignore', coalesce(jsonb_agg(a.attnum::int ORDER BY a.attnum) FILTER (WHERE
        coalesce(options -> 'ignore', '[]') ?| ARRAY[a.attname::text, f.field]), '[]'),
      'fields', coalesce(jsonb_object_agg(a.attnum::text, f.field) FILTER (WHERE f.field <> a.attname::text), '{}'))
      || CASE WHEN options ? 'link' THEN jsonb_build_object('link', options -> 'link') ELSE '{}' END
    FROM pg_attribute a
    CROSS JOIN LATERAL (SELECT coalesce(fields ->> a.attname::text, a.attname::text) AS field) AS f
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
  );
END
$$;
