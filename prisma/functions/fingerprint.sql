-- What a client has to know of a table to write to it: how it is watched, and which tables that its changes can reach are.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."fingerprint"(relation oid, resource text, options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT md5(concat_ws(' ', resource, options, (
    SELECT string_agg("audit_logs_internal"."table_key"(reached.oid), ' ' ORDER BY "audit_logs_internal"."table_key"(reached.oid))
    FROM "audit_logs_internal"."reached"(relation, 'down') AS reached(oid)
    WHERE "audit_logs_internal"."has_row_triggers"(reached.oid))))
$$;
