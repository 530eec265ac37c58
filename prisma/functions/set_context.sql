-- Who acts, for the rest of the current transaction: for every writer that is not the audited client. Keys are those of
-- AuditContext, a second call replaces the first. Entries made in such a context also have details.source.
--
-- SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}, "requestId": "req-1", "reason": "import"}')
CREATE OR REPLACE FUNCTION "audit_logs_set_context"(context jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  actor jsonb := context -> 'actor';
  problem text;
  address inet;
  kept text;
BEGIN
  problem := CASE
    WHEN context IS NOT NULL AND jsonb_typeof(context) <> 'object' THEN 'it is not an object'
    WHEN actor IS NOT NULL AND jsonb_typeof(actor) NOT IN ('object', 'null') THEN 'actor is not an object'
    WHEN jsonb_typeof(context -> 'metadata') NOT IN ('object', 'null') THEN 'metadata is not an object'
  END;
  IF problem IS NULL AND jsonb_typeof(context) = 'object' THEN
    SELECT format('%s is not a text of 1 to %s characters', key, most) INTO problem
    FROM (VALUES
      ('actor.id', actor -> 'id', 255, true), ('actor.type', actor -> 'type', 50, true),
      ('actor.email', actor -> 'email', 255, false), ('requestId', context -> 'requestId', 255, false),
      ('organizationId', context -> 'organizationId', 255, false), ('ip', context -> 'ip', 60, false),
      ('userAgent', context -> 'userAgent', NULL, false), ('reason', context -> 'reason', NULL, false)
    ) AS field(key, value, most, is_required)
    WHERE CASE
      WHEN value IS NULL OR jsonb_typeof(value) = 'null' THEN is_required AND jsonb_typeof(actor) = 'object'
      WHEN jsonb_typeof(value) <> 'string' THEN true
      ELSE length(value #>> '{}') > most OR (most IS NOT NULL AND value #>> '{}' = '')
    END
    LIMIT 1;
    problem := coalesce(problem,
      (SELECT format('actor.type is %s, not user, system or api_key', actor -> 'type')
        WHERE actor ->> 'type' NOT IN ('user', 'system', 'api_key')),
      (SELECT format('it has the unknown key %I', key) FROM jsonb_object_keys(context) AS key
        WHERE key NOT IN ('actor', 'requestId', 'ip', 'userAgent', 'organizationId', 'reason', 'metadata') LIMIT 1));
  END IF;
  IF problem IS NULL AND context ->> 'ip' IS NOT NULL THEN
    BEGIN
      address := (context ->> 'ip')::inet;
    EXCEPTION WHEN invalid_text_representation THEN
      problem := 'ip is not an IP address';
    END;
  END IF;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA003',
      MESSAGE = format('the audit context cannot be used: %s', problem),
      HINT = 'Its keys are actor { id, type, email }, requestId, ip, userAgent, organizationId, reason and metadata.';
  END IF;
  kept := set_config('prisma_extension_audit.transaction', coalesce(jsonb_strip_nulls(jsonb_build_object(
    'actor_id', actor -> 'id', 'actor_type', actor -> 'type', 'actor_email', actor -> 'email',
    'reason', context -> 'reason', 'request_id', context -> 'requestId', 'ip', host(address),
    'user_agent', context -> 'userAgent', 'organization_id', context -> 'organizationId'
  )) || jsonb_build_object('details', CASE WHEN jsonb_typeof(context -> 'metadata') = 'object'
    THEN jsonb_build_object('metadata', context -> 'metadata') ELSE '{}' END), '{}')::text, true);
END
$$;
