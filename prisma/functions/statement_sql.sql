-- The INSERT of the entries of a statement. It names the variables context and extra: who made the changes, and what their
-- details have in common.
--
-- part, is_reached: as for changes_sql
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_sql"(
  relation oid, resource text, options jsonb, log text, part jsonb, operation text, is_reached boolean
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT "audit_logs_internal"."entry_sql"(log,
      quote_literal(resource || CASE operation WHEN 'INSERT' THEN '.create' WHEN 'UPDATE' THEN '.update' ELSE '.delete' END),
      quote_literal(resource), 'row_id',
      CASE operation
        WHEN 'INSERT' THEN 'jsonb_build_object(''after'', after)'
        WHEN 'DELETE' THEN 'jsonb_build_object(''before'', before)'
        ELSE format('jsonb_build_object(''before'', %s, ''after'', %s, ''changed'', changed)',
          "audit_logs_internal"."snapshot_sql"(options, 'before'), "audit_logs_internal"."snapshot_sql"(options, 'after'))
      END || ' || extra',
      '(' || "audit_logs_internal"."changes_sql"(relation, part, operation, is_reached) || ') AS change')
$$;
