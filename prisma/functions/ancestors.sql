-- After a table came to be watched, or no longer is: what the statement triggers of the tables that reach it say. The
-- tables are locked first, in one order, so that no statement that reaches this table is under way.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."lock_with_ancestors"(relation oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  locked oid;
BEGIN
  FOR locked IN
    SELECT c.oid FROM pg_class c
    WHERE c.oid IN (SELECT relation UNION SELECT * FROM "audit_logs_internal"."reached"(relation, 'up'))
      AND c.relkind <> 'f' -- foreign tables take no explicit lock
    ORDER BY c.oid
  LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', locked::regclass);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION "audit_logs_internal"."renew_ancestors"(relation oid) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog
AS $$
  SELECT "audit_logs_internal"."renew_statement_trigger"(ancestor.oid, CASE WHEN w.options IS NOT NULL THEN w.resource END, w.options)
  FROM "audit_logs_internal"."reached"(relation, 'up') AS ancestor(oid)
  LEFT JOIN "audit_logs_internal"."watched"() AS w ON w.relation = ancestor.oid
  WHERE ancestor.oid <> renew_ancestors.relation
$$;
