-- Takes every privilege on a relation from everybody but its owner.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."revoke_all"(relation regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  grantee text;
BEGIN
  FOR grantee IN SELECT DISTINCT g.grantee FROM "audit_logs_internal"."grants"(relation) AS g LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', "audit_logs_internal"."log_name"(relation), grantee);
  END LOOP;
END
$$;
