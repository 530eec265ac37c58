-- Gives a new table to the owner of the log, where a superuser made it.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."give_to_owner"(log regclass, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  owner oid := (SELECT relowner FROM pg_class WHERE oid = log);
BEGIN
  IF owner <> (SELECT relowner FROM pg_class WHERE oid = relation::regclass) THEN
    EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, pg_get_userbyid(owner));
  END IF;
END
$$;
