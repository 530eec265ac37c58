-- Makes the function that writes the entry of one row anew: its body names the log's schema, for whatever search_path a
-- transaction has.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."make_record"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  schema_name text := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
  log_name text := (SELECT relname FROM pg_class WHERE oid = log);
BEGIN
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION %I.%I(
      resource text, resource_id text, before jsonb, after jsonb, changed text[], context jsonb
    ) RETURNS boolean LANGUAGE plpgsql AS %L', schema_name, name, format($body$

BEGIN
  IF changed = '{}' THEN
    RETURN false;
  END IF;
  INSERT INTO %s ("id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id")
  VALUES (
    pg_catalog.uuidv7(),
    resource || CASE WHEN before IS NULL THEN '.create' WHEN after IS NULL THEN '.delete' ELSE '.update' END,
    context ->> 'actor_id', context ->> 'actor_type', context ->> 'actor_email',
    resource, resource_id,
    'success', context ->> 'reason',
    CASE
      WHEN before IS NULL THEN pg_catalog.jsonb_build_object('after', after)
      WHEN after IS NULL THEN pg_catalog.jsonb_build_object('before', before)
      ELSE pg_catalog.jsonb_build_object('before', before, 'after', before || after, 'changed', changed)
    END || (context -> 'details'),
    context ->> 'request_id', (context ->> 'ip')::pg_catalog.inet,
    context ->> 'user_agent', context ->> 'organization_id'
  );
  RETURN true;
END
$body$,
    -- quoted as clients quote it, which look for it
    format('"%s"."%s"', replace(schema_name, '"', '""'), replace(log_name, '"', '""'))));
END
$$;
