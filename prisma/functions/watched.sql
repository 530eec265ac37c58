-- The trigger before each statement on a table, wherever there is one, and what its argument says.
--
-- options is NULL where the table itself is not watched, but changes of it reach tables that are
CREATE OR REPLACE FUNCTION "audit_logs_internal"."watched"()
RETURNS TABLE (relation oid, enabled "char", argument text, resource text, options jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT t.tgrelid, t.tgenabled, a.text, split_part(a.text, ' ', 3),
    nullif(substr(a.text, length(split_part(a.text, ' ', 1) || split_part(a.text, ' ', 2) || split_part(a.text, ' ', 3)) + 4), '')::jsonb
  FROM pg_trigger t
  CROSS JOIN LATERAL (SELECT "audit_logs_internal"."trigger_argument"(t.tgargs) AS text) AS a
  WHERE t.tgname = '!audit_logs_statement' AND NOT t.tgisinternal
$$;
