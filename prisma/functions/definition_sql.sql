-- The statements that make the functions of a table, and the triggers of its rows.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."definition_sql"(
  relation oid, resource text, options jsonb, log text, is_origin boolean
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  row_function text := "audit_logs_internal"."function_name"(relation, NULL);
  enable text := CASE WHEN is_origin THEN 'ENABLE' ELSE 'ENABLE ALWAYS' END;
BEGIN
  RETURN
    "audit_logs_internal"."trigger_function_sql"(row_function, "audit_logs_internal"."settings_sql"(relation, options),
      CASE WHEN options ? 'link' THEN "audit_logs_internal"."link_function_sql"(relation, resource, options, log)
        ELSE "audit_logs_internal"."row_function_sql"(relation, resource, options, log) END)
    || "audit_logs_internal"."trigger_function_sql"("audit_logs_internal"."function_name"(relation, 'truncate'), '',
      "audit_logs_internal"."truncate_function_sql"(resource, log))
    || (SELECT string_agg(format(
        'CREATE TRIGGER %1$I AFTER %2$s ON %3$s %4$s FOR EACH %5$s %6$s EXECUTE FUNCTION %7$s(%8$s);
         ALTER TABLE %3$s %9$s TRIGGER %1$I;',
        t.name, t.events, relation::regclass, t.transition, t.level,
        coalesce('WHEN (' || nullif(t.condition, '') || ')', ''), row_function, t.argument, enable), E'\n' ORDER BY t.name)
      FROM "audit_logs_internal"."row_triggers"(relation, options) AS t);
END
$$;
