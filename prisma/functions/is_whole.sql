-- Whether the triggers of a watched table are those that definition_sql makes, in the same state, in its partitions, too.
--
-- triggers: how many record its rows
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_whole"(relation oid, enabled "char", triggers integer) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH trigger AS (
    SELECT t.*, p.oid IS NOT NULL AS is_ours
    FROM pg_trigger t
    LEFT JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = '"audit_logs_internal"'::regnamespace
    WHERE t.tgname LIKE '%!audit\_logs\_row%' AND NOT t.tgisinternal
      AND (t.tgrelid = relation OR t.tgrelid IN (SELECT relid FROM pg_partition_tree(relation)))
  )
  SELECT coalesce(bool_and(tgenabled = enabled AND is_ours), false)
    AND count(*) FILTER (WHERE tgname = '!audit_logs_row_truncate')
      = (SELECT count(*) FROM "audit_logs_internal"."truncated_with"(relation))
    AND count(*) FILTER (WHERE tgname <> '!audit_logs_row_truncate' AND tgrelid = relation)
      = triggers
  FROM trigger
$$;
