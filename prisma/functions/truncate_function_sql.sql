-- The body of the function that a table's TRUNCATE trigger calls, before the rows go. They are counted up to a bound,
-- above it, the planner's estimate stands in details.rows, marked as one.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."truncate_function_sql"(resource text, log text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT format(
$body$
DECLARE
  context jsonb := "audit_logs_internal"."attribution"();
  bound CONSTANT bigint := 100000;
  rows bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM (SELECT FROM %%I.%%I LIMIT %%s) AS r', TG_TABLE_SCHEMA, TG_TABLE_NAME, bound + 1) INTO rows;
  IF rows > bound THEN
    rows := (SELECT greatest(rows, sum(c.reltuples)::bigint) FROM pg_class c
      WHERE c.oid = TG_RELID OR c.oid IN (SELECT relid FROM pg_partition_tree(TG_RELID) WHERE isleaf));
  END IF;
  %s;
  RETURN NULL;
END
$body$,
    "audit_logs_internal"."entry_sql"(log, quote_literal(resource || '.truncate'), quote_literal(resource), 'NULL',
      $body$jsonb_build_object('rows', rows) || CASE WHEN rows > bound THEN '{"estimated": true}'::jsonb ELSE '{}' END$body$))
$$;
