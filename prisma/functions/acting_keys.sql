-- The foreign keys of a table by whose referential actions a change of another table changes its rows: whether a delete
-- there sets them to something else or deletes the row, whether a changed key there changes them, and whether that
-- changes the primary key.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."acting_keys"(relation oid)
RETURNS TABLE (sets boolean, deletes boolean, follows boolean, moves boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT f.confdeltype IN ('n', 'd'), f.confdeltype = 'c', f.confupdtype IN ('c', 'n', 'd'),
    f.confupdtype IN ('c', 'n', 'd') AND EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND i.indkey::int2[] && f.conkey)
  FROM pg_constraint f
  WHERE f.contype = 'f' AND f.conrelid = relation
    AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
$$;
