-- Makes the trigger before each statement on a table as it has to be now, or removes it where neither the table nor anything
-- that its changes reach is watched. Where somebody disabled it, it stays so, and another one says from now on what the
-- table reaches: a client that saw no note before must see that something has changed.
--
-- resource, options: how the table is watched from now on, NULL where it is not
CREATE OR REPLACE FUNCTION "audit_logs_internal"."renew_statement_trigger"(relation oid, resource text, options jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  reaches boolean := EXISTS (SELECT FROM "audit_logs_internal"."reached"(relation, 'down') AS r(oid)
    WHERE "audit_logs_internal"."has_row_triggers"(r.oid));
  -- that of the triggers that record the rows, where there are any
  state "char" := coalesce(
    (SELECT t.tgenabled FROM pg_trigger t
      WHERE t.tgrelid = relation AND t.tgname LIKE '%!audit\_logs\_row%' ORDER BY t.tgname LIMIT 1),
    (SELECT t.tgenabled FROM pg_trigger t
      WHERE t.tgrelid = relation AND t.tgname = '!audit_logs_statement' AND NOT t.tgisinternal), 'A');
  name text := coalesce(resource, (SELECT lower(left(relname, 1)) || substr(relname, 2) FROM pg_class WHERE oid = relation));
  argument text := concat_ws(' ', "audit_logs_internal"."table_key"(relation),
    "audit_logs_internal"."fingerprint"(relation, name, options), replace(name, ' ', '_'), options);
BEGIN
  PERFORM "audit_logs_internal"."set_statement_trigger"(relation, '!audit_logs_statement', state,
    CASE WHEN options IS NOT NULL OR reaches THEN argument END);
  PERFORM "audit_logs_internal"."set_statement_trigger"(relation, '!audit_logs_reach', 'A',
    -- with a fingerprint of its own: the other one says that the rows are recorded
    CASE WHEN state = 'D' THEN regexp_replace(argument, ' ', ' disabled:') END);
END
$$;
