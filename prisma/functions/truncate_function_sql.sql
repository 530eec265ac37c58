-- The body of the function that a table's TRUNCATE trigger calls, before the rows go. They are counted up to a bound,
-- above it, or where row-level security hides rows from whoever watches, the planner's estimate stands in details.rows,
-- marked as one.
--
-- A partition has such a trigger, too, for a TRUNCATE that names it. Where one of the table above it reaches it, the
-- entry of that table is there already and counts its rows.
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
  is_hidden boolean := row_security_active(TG_RELID);
  is_partitioned boolean := EXISTS (SELECT FROM pg_class c WHERE c.oid = TG_RELID AND c.relkind = 'p');
  is_partition boolean := EXISTS (SELECT FROM pg_class c WHERE c.oid = TG_RELID AND c.relispartition);
  moment text := extract(epoch FROM statement_timestamp());
  kept text := current_setting('prisma_extension_audit.truncated', true);
  reached text[] := CASE WHEN starts_with(kept, moment || ' ') THEN string_to_array(split_part(kept, ' ', 2), ',') ELSE '{}' END;
BEGIN
  IF TG_RELID::text = ANY (reached) AND is_partition THEN
    kept := set_config('prisma_extension_audit.truncated',
      moment || ' ' || array_to_string(array_remove(reached, TG_RELID::text), ','), true);
    IF EXISTS (SELECT FROM %1$s AS e WHERE e.action = %2$L AND e.timestamp >= statement_timestamp()
      AND e.transaction_id = (pg_current_xact_id()::text)::bigint)
    THEN
      RETURN NULL;
    END IF;
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM %%s %%I.%%I LIMIT %%s) AS r',
    CASE WHEN is_partitioned THEN '' ELSE 'ONLY' END, TG_TABLE_SCHEMA, TG_TABLE_NAME, bound + 1) INTO rows;
  IF rows > bound OR is_hidden THEN
    rows := (SELECT greatest(rows, sum(c.reltuples)::bigint) FROM pg_class c
      WHERE c.oid = TG_RELID AND NOT is_partitioned OR c.oid IN (SELECT relid FROM pg_partition_tree(TG_RELID) WHERE isleaf));
  END IF;
  IF is_partitioned THEN
    kept := set_config('prisma_extension_audit.truncated', moment || ' ' || (
      SELECT string_agg(relid::oid::text, ',') FROM pg_partition_tree(TG_RELID) WHERE relid <> TG_RELID), true);
  END IF;
  %3$s;
  RETURN NULL;
END
$body$,
    log, resource || '.truncate',
    "audit_logs_internal"."entry_sql"(log, quote_literal(resource || '.truncate'), quote_literal(resource), 'NULL',
      $body$jsonb_build_object('rows', rows)
        || CASE WHEN rows > bound OR is_hidden THEN '{"estimated": true}'::jsonb ELSE '{}' END
        || CASE WHEN is_partition THEN jsonb_build_object('partition', TG_RELID::regclass::text) ELSE '{}' END$body$))
$$;
