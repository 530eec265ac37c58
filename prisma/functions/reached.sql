-- The tables whose rows a change of this one can change by referential actions, to any depth, those that can change its
-- own rows in that way with direction 'up'. The table itself is there only if it is among them.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."reached"(relation oid, direction text) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH RECURSIVE action AS (
    SELECT CASE direction WHEN 'up' THEN conrelid ELSE confrelid END AS source,
      CASE direction WHEN 'up' THEN confrelid ELSE conrelid END AS target
    FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
  ), step(oid) AS (
    SELECT target FROM action WHERE source = relation
    UNION
    SELECT action.target FROM step JOIN action ON action.source = step.oid
  )
  SELECT oid FROM step
$$;
