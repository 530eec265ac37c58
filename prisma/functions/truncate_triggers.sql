-- The tables that need a trigger for TRUNCATE to be recorded: the table, and its partitions, for such a trigger is not
-- cloned. Foreign tables have none before PostgreSQL 16.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."truncated_with"(relation oid) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT c.oid FROM pg_class c
  WHERE (c.oid = relation OR c.oid IN (SELECT relid FROM pg_partition_tree(relation))) AND c.relkind <> 'f'
$$;

CREATE OR REPLACE FUNCTION "audit_logs_internal"."truncate_triggers_sql"(relation oid, function_name text, enable text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT coalesce(string_agg(format(
    'CREATE TRIGGER "!audit_logs_row_truncate" BEFORE TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION %2$s();
     ALTER TABLE ONLY %1$s %3$s TRIGGER "!audit_logs_row_truncate";', oid::regclass, function_name, enable), E'\n'), '')
  FROM "audit_logs_internal"."truncated_with"(relation) AS t(oid)
$$;
