-- The statements that make the functions of a table, and the triggers of its rows.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."definition_sql"(
  relation oid, resource text, options jsonb, log text, is_reached boolean, is_origin boolean
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  name text := relation::regclass;
  row_function text := "audit_logs_internal"."function_name"(relation, NULL);
  truncate_function text := "audit_logs_internal"."function_name"(relation, 'truncate');
  self_key text := "audit_logs_internal"."self_key_sql"(relation, 'OLD', 'NEW');
  settings text := "audit_logs_internal"."settings_sql"(relation, options);
  enable text := CASE WHEN is_origin THEN 'ENABLE' ELSE 'ENABLE ALWAYS' END;
BEGIN
  RETURN
    "audit_logs_internal"."trigger_function_sql"(row_function, settings, CASE WHEN options ? 'link'
      THEN "audit_logs_internal"."link_function_sql"(relation, resource, options, log)
      ELSE "audit_logs_internal"."row_function_sql"(relation, resource, options, log) END)
    || "audit_logs_internal"."trigger_function_sql"(truncate_function, '',
      "audit_logs_internal"."truncate_function_sql"(resource, log))
    || (
      SELECT string_agg(format(
        'CREATE TRIGGER %1$I AFTER %7$s ON %2$s FOR EACH ROW %3$s EXECUTE FUNCTION %4$s(%5$s);
         ALTER TABLE %2$s %6$s TRIGGER %1$I;',
        moment.prefix || '!audit_logs_row' || t.suffix, name, coalesce('WHEN (' || nullif(concat_ws(' AND ', t.condition, moment.condition), '') || ')', ''),
        row_function, t.argument, enable, moment.events), E'\n')
      -- when a trigger's condition is evaluated the row is changing: by the statement at depth 0, or deeper
      FROM (VALUES
        ('', NULL, '', false),
        ('_0', 'pg_trigger_depth() = 0', '''0''', true),
        ('_1', 'pg_trigger_depth() = 1', '''1''', true),
        ('_2', 'pg_trigger_depth() > 1', '''2''', true)
      ) AS t(suffix, condition, argument, is_reached)
      -- triggers fire in the order of their names: first ours, but where a referential action changes the same row once
      -- more, right after those of foreign keys, which are called RI_ConstraintTrigger_a_16408 and so on
      CROSS JOIN (VALUES ('', 'INSERT OR UPDATE OR DELETE', NULL), ('RI_ConstraintTrigger_z', 'UPDATE', '(' || self_key || ')'))
        AS moment(prefix, events, condition)
      WHERE t.is_reached = definition_sql.is_reached AND (moment.prefix = '' OR self_key IS NOT NULL));
END
$$;
