-- The canonical form of an entry: docs/seals.md, "Canonical form of an entry".
CREATE OR REPLACE FUNCTION "audit_logs_internal"."entry_form"(
  id uuid, "timestamp" timestamptz, action text, actor_id text, actor_type text, actor_email text, resource_type text, resource_id text,
  outcome text, reason text, details jsonb, request_id text, ip inet, user_agent text, organization_id text, seq bigint, transaction_id bigint
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT array_to_json(ARRAY[
    id::text,
    CASE WHEN "timestamp" >= '0001-01-01 00:00:00Z' AND "timestamp" < 'infinity'
      THEN to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      ELSE to_json("timestamp" AT TIME ZONE 'UTC') #>> '{}' END,
    action, actor_id, actor_type, actor_email, resource_type, resource_id, outcome, reason, details::text, request_id,
    abbrev(ip), user_agent, organization_id, seq::text, transaction_id::text
  ])::text
$$;
