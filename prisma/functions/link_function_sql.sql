-- The body of the function that the row triggers of an implicit many-to-many table call: a link is recorded on each side.
-- Where a model is linked to itself, one change of a key may change a link twice. What it was in between is no link.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."link_function_sql"(relation oid, options jsonb, log text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH side AS (
    SELECT s.name, s.other, options #>> ARRAY['link', s.name, 'resource'] AS resource,
      options #>> ARRAY['link', s.name, 'relation'] AS relation,
      coalesce((options #>> ARRAY['link', s.name, 'recorded'])::boolean, true) AS is_recorded,
      CASE
        WHEN c.redacted THEN 'CASE WHEN %1$s.%2$I IS NOT NULL THEN ''[redacted]'' END'
        WHEN t.typnamespace = 'pg_catalog'::regnamespace
          AND t.typname IN ('bool', 'int2', 'int4', 'int8', 'uuid', 'date', 'timestamp', 'timestamptz')
        THEN "audit_logs_internal"."key_sql"(c.type, c.modifier, '%1$s.%2$I')
        ELSE format('left(%s, 255)', "audit_logs_internal"."key_sql"(c.type, c.modifier, '%1$s.%2$I'))
      END AS id
    FROM (VALUES ('A', 'B'), ('B', 'A')) AS s(name, other)
    JOIN "audit_logs_internal"."columns"(relation, options) AS c ON c.name = s.name
    CROSS JOIN LATERAL "audit_logs_internal"."base_type"(c.type) AS t
  ), statement AS (
    SELECT verb.position, side.name, "audit_logs_internal"."entry_sql"(log,
      quote_literal(side.resource || '.' || verb.name), quote_literal(side.resource), format(side.id, verb.row, side.name),
      format('jsonb_build_object(''relation'', %L::text, ''target'', jsonb_build_object(''type'', %L::text, ''id'', %s)) || extra',
        side.relation, other.resource, format(other.id, verb.row, other.name))) || ';' AS sql
    FROM side JOIN side AS other ON other.name = side.other
    CROSS JOIN (VALUES (1, 'disconnect', 'OLD'), (2, 'connect', 'NEW')) AS verb(position, name, row)
    WHERE side.is_recorded
  )
  SELECT format(
$body$
DECLARE
  context jsonb := "audit_logs_internal"."attribution"();
  extra jsonb := '{}';
  moment text := extract(epoch FROM statement_timestamp());
  passed text := current_setting('prisma_extension_audit.passed_links', true);
  is_passed boolean := false;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW THEN
    RETURN NULL;
  END IF;
  IF TG_NARGS = 1 THEN
    extra := "audit_logs_internal"."cause"(TG_ARGV[0]);
  END IF;
  IF TG_OP = 'UPDATE' THEN
    passed := CASE WHEN starts_with(passed, moment || ' ') THEN passed ELSE moment || ' ' END;
    is_passed := strpos(passed, OLD::text) > 0;
  END IF;
  IF TG_OP <> 'INSERT' AND NOT is_passed THEN
    %1$s
  END IF;
  IF TG_OP = 'UPDATE' AND NOT EXISTS (SELECT FROM %3$s AS t WHERE t."A" = NEW."A" AND t."B" = NEW."B") THEN
    passed := set_config('prisma_extension_audit.passed_links', passed || NEW::text, true);
  ELSIF TG_OP <> 'DELETE' THEN
    %2$s
  END IF;
  RETURN NULL;
END
$body$,
    coalesce(string_agg(sql, E'\n    ' ORDER BY name) FILTER (WHERE position = 1), 'NULL;'),
    coalesce(string_agg(sql, E'\n    ' ORDER BY name) FILTER (WHERE position = 2), 'NULL;'), relation::regclass)
  FROM statement
$$;
