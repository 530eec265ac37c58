-- Whether every trigger of a watched table is there, in the same state.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_whole"(relation oid, enabled "char") RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT coalesce(bool_and(t.tgenabled = enabled), false)
    AND count(*) FILTER (WHERE t.tgname = '!audit_logs_row_truncate') = CASE c.relkind WHEN 'f' THEN 0 ELSE 1 END
    AND count(*) FILTER (WHERE t.tgname <> '!audit_logs_row_truncate') IN (1, 3, 6)
  FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
  WHERE c.oid = relation AND t.tgname LIKE '%!audit\_logs\_row%' AND NOT t.tgisinternal
  GROUP BY c.relkind
$$;
