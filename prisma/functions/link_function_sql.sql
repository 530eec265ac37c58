-- The body of the function that the row triggers of an implicit many-to-many table call: a link is recorded on each side.
-- One change of keys may change a link twice. What it was in between is no link.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."link_function_sql"(
  relation oid, resource text, options jsonb, log text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH side AS (
    SELECT s.*, options #>> ARRAY['link', s.name, 'resource'] AS resource,
      options #>> ARRAY['link', s.name, 'relation'] AS relation,
      coalesce((options #>> ARRAY['link', s.name, 'recorded'])::boolean, true) AS is_recorded,
      "audit_logs_internal"."link_key_sql"(relation, options, s.name) AS key
    FROM (VALUES ('A', 'B', 'a', 'b'), ('B', 'A', 'b', 'a')) AS s(name, other, variable, other_variable)
  ), statement AS (
    SELECT verb.position, side.name, "audit_logs_internal"."entry_sql"(log,
      quote_literal(side.resource || '.' || verb.name), quote_literal(side.resource), format('%s_%s', side.variable, verb.moment),
      format('jsonb_build_object(''relation'', %L::text, ''target'', jsonb_build_object(''type'', %L::text, ''id'', %s_%s)) || extra',
        side.relation, other.resource, side.other_variable, verb.moment)) || ';' AS sql
    FROM side JOIN side AS other ON other.name = side.other
    CROSS JOIN (VALUES (1, 'disconnect', 'before'), (2, 'connect', 'after')) AS verb(position, name, moment)
    WHERE side.is_recorded
  )
  SELECT format(
$body$
DECLARE
  context jsonb;
  extra jsonb := '{}';
  moment text := extract(epoch FROM statement_timestamp());
  passed text := current_setting('prisma_extension_audit.passed_links', true);
  is_passed boolean := false;
  is_passing boolean := false;
  a_before text;
  b_before text;
  a_after text;
  b_after text;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW THEN
    RETURN NULL;
  END IF;
  BEGIN
    IF %1$s THEN
      RAISE undefined_column;
    END IF;
    a_before := %2$s;
    b_before := %3$s;
    a_after := %4$s;
    b_after := %5$s;
    IF TG_OP = 'UPDATE' AND NOT row_security_active(TG_RELID) THEN
      is_passing := NOT EXISTS (SELECT FROM %6$s AS t WHERE t."A" = NEW."A" AND t."B" = NEW."B");
    END IF;
  EXCEPTION WHEN undefined_column OR datatype_mismatch OR undefined_table OR undefined_object OR undefined_function THEN
    -- a migration changed the table since: the same once more, by the catalog as it is now
    SELECT * INTO a_before, b_before, a_after, b_after FROM "audit_logs_internal"."drifted_link"(TG_RELID, %7$L, OLD, NEW);
  END;
  IF TG_NARGS = 1 THEN
    extra := "audit_logs_internal"."cause"(TG_ARGV[0],
      CASE TG_OP WHEN 'INSERT' THEN %10$L WHEN 'UPDATE' THEN %11$L ELSE %12$L END);
  END IF;
  context := "audit_logs_internal"."attribution"();
  IF TG_OP = 'UPDATE' THEN
    passed := CASE WHEN starts_with(passed, moment || ' ') THEN passed ELSE moment || ' ' END;
    is_passed := strpos(passed, md5(OLD::text)) > 0;
  END IF;
  IF TG_OP <> 'INSERT' AND NOT is_passed THEN
    %8$s
  END IF;
  IF is_passing THEN
    passed := set_config('prisma_extension_audit.passed_links', passed || md5(NEW::text), true);
  ELSIF TG_OP <> 'DELETE' THEN
    %9$s
  END IF;
  RETURN NULL;
END
$body$,
    "audit_logs_internal"."drift_sql"(relation, options, 'TG_RELID', 'NEW', false, (
      SELECT format('TG_TABLE_NAME <> %L OR TG_TABLE_SCHEMA <> %L', c.relname, n.nspname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation)),
    (SELECT format(key, 'OLD') FROM side WHERE name = 'A'), (SELECT format(key, 'OLD') FROM side WHERE name = 'B'),
    (SELECT format(key, 'NEW') FROM side WHERE name = 'A'), (SELECT format(key, 'NEW') FROM side WHERE name = 'B'),
    relation::regclass, options,
    coalesce(string_agg(sql, E'\n    ' ORDER BY name) FILTER (WHERE position = 1), 'NULL;'),
    coalesce(string_agg(sql, E'\n    ' ORDER BY name) FILTER (WHERE position = 2), 'NULL;'),
    link_function_sql.resource || '.create', link_function_sql.resource || '.update', link_function_sql.resource || '.delete')
  FROM statement
$$;
