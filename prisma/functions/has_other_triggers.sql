-- Whether a table has triggers of somebody else's of this kind, AFTER ROW or BEFORE. Disabled ones count: they may be
-- enabled again.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."has_other_triggers"(relation oid, kind text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT EXISTS (
    SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = relation AND NOT t.tgisinternal AND p.pronamespace <> '"audit_logs_internal"'::regnamespace
      -- 1: for each row, 2: before, 64: instead of
      AND CASE kind WHEN 'AFTER ROW' THEN t.tgtype::int & 67 = 1 ELSE t.tgtype::int & 2 = 2 END)
$$;
