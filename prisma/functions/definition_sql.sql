-- The statements that make the functions of a table, and the triggers of its rows.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."definition_sql"(
  relation oid, resource text, options jsonb, log text, is_origin boolean
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH trigger AS MATERIALIZED (
    SELECT * FROM "audit_logs_internal"."row_triggers"(relation, options)
  ), level AS (
    SELECT l.*, "audit_logs_internal"."function_name"(relation, l.kind) AS function_name
    FROM (VALUES ('ROW', NULL), ('STATEMENT', 'statement')) AS l(name, kind)
    WHERE l.name IN (SELECT trigger.level FROM trigger)
  ), setting AS (
    SELECT "audit_logs_internal"."settings_sql"(relation, options) AS text
  )
  SELECT string_agg(
      CASE WHEN level.kind IS NULL THEN "audit_logs_internal"."trigger_function_sql"(level.function_name, setting.text,
        CASE WHEN options ? 'link' THEN "audit_logs_internal"."link_function_sql"(relation, resource, options, log)
          ELSE "audit_logs_internal"."row_function_sql"(relation, resource, options, log) END)
      -- a plan is kept from the first call, for one row mostly, and has to be right for many
      ELSE "audit_logs_internal"."trigger_function_sql"(level.function_name, setting.text || ' SET enable_nestloop = off',
        "audit_logs_internal"."statement_function_sql"(relation, resource, options, log)) END, '' ORDER BY level.name)
    || "audit_logs_internal"."trigger_function_sql"("audit_logs_internal"."function_name"(relation, 'truncate'), '',
      "audit_logs_internal"."truncate_function_sql"(resource, log))
    || (SELECT string_agg(format(
      'CREATE TRIGGER %1$I AFTER %2$s ON %3$s %4$s FOR EACH %5$s %6$s EXECUTE FUNCTION %7$s(%8$s);
       ALTER TABLE %3$s %9$s TRIGGER %1$I;',
      trigger.name, trigger.events, relation::regclass, trigger.transition, trigger.level,
      coalesce('WHEN (' || nullif(trigger.condition, '') || ')', ''), l.function_name, trigger.argument,
      CASE WHEN is_origin THEN 'ENABLE' ELSE 'ENABLE ALWAYS' END), E'\n' ORDER BY trigger.name)
      FROM trigger JOIN level AS l ON l.name = trigger.level)
  FROM level CROSS JOIN setting
$$;
