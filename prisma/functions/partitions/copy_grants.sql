-- Has others than its owner hold on one relation what they hold on another.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."copy_grants"(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  held record;
BEGIN
  PERFORM "audit_logs_internal"."revoke_all"(target); -- what default privileges gave
  FOR held IN SELECT * FROM "audit_logs_internal"."grants"(source) LOOP
    EXECUTE format('GRANT %s ON %s TO %s%s', held.privilege, "audit_logs_internal"."log_name"(target), held.grantee,
      CASE WHEN held.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
END
$$;
