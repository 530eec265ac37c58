-- Creates a table as the partitions of a log are, with the same indexes, that is not attached: what takes the place of a
-- partition is filled first. Gives its name.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."create_beside"(log regclass, suffix text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  beside text := (SELECT format('%I.%I', n.nspname, c.relname || '_' || suffix)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %s', beside); -- of an attempt that was ended
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING STATISTICS)', beside, "audit_logs_internal"."log_name"(log));
  PERFORM "audit_logs_internal"."give_to_owner"(log, beside);
  PERFORM "audit_logs_internal"."revoke_all"(beside::regclass);
  RETURN beside;
END
$$;
