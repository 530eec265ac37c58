-- The triggers that record a table's rows, as parts of CREATE TRIGGER.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."row_triggers"(relation oid, options jsonb)
RETURNS TABLE (name text, level text, events text, transition text, condition text, argument text)
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  WITH fact AS (
    SELECT "audit_logs_internal"."events_by_statement"(relation, options) AS by_statement,
      "audit_logs_internal"."self_key_sql"(relation, 'OLD', 'NEW') AS self_key,
      EXISTS (SELECT FROM "audit_logs_internal"."acting_keys"(relation)) AS is_reached
  ), depth AS (
    -- when a trigger's condition is evaluated the row is changing: by the statement at depth 0, or deeper
    SELECT d.* FROM (VALUES
      ('', NULL, '', false),
      ('_0', 'pg_trigger_depth() = 0', '''0''', true),
      ('_1', 'pg_trigger_depth() = 1', '''1''', true),
      ('_2', 'pg_trigger_depth() > 1', '''2''', true)
    ) AS d(suffix, condition, argument, is_reached)
    JOIN fact ON fact.is_reached = d.is_reached
  ), event AS (
    SELECT e.*, e.name = ANY (fact.by_statement) AS is_by_statement
    FROM fact CROSS JOIN (VALUES ('INSERT', 'NEW TABLE AS __audit_after'),
      ('UPDATE', 'OLD TABLE AS __audit_before NEW TABLE AS __audit_after'), ('DELETE', 'OLD TABLE AS __audit_before')) AS e(name, transition)
  )
  -- triggers fire in the order of their names: first ours, but where a referential action changes the same row once
  -- more, right after those of foreign keys, which are called RI_ConstraintTrigger_a_16408 and so on
  SELECT moment.prefix || '!audit_logs_row' || depth.suffix, 'ROW', moment.events, '', concat_ws(' AND ', depth.condition, moment.condition),
    depth.argument
  FROM depth
  CROSS JOIN (
    SELECT '' AS prefix, string_agg(event.name, ' OR ') AS events, NULL AS condition FROM event WHERE NOT event.is_by_statement
    UNION ALL
    SELECT 'RI_ConstraintTrigger_z', 'UPDATE', '(' || fact.self_key || ')' FROM fact WHERE fact.self_key IS NOT NULL
  ) AS moment
  WHERE moment.events IS NOT NULL
  UNION ALL
  SELECT '!audit_logs_row_' || lower(event.name) || depth.suffix, 'STATEMENT', event.name, 'REFERENCING ' || event.transition,
    depth.condition, depth.argument
  FROM event JOIN depth ON depth.suffix = '' OR event.name <> 'INSERT'
  WHERE event.is_by_statement
  UNION ALL
  -- no referential action inserts
  SELECT '!audit_logs_row_insert', 'STATEMENT', event.name, 'REFERENCING ' || event.transition, '', ''
  FROM event CROSS JOIN fact
  WHERE event.is_by_statement AND event.name = 'INSERT' AND fact.is_reached
$$;
