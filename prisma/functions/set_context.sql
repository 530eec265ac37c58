-- Who acts, for the rest of the current transaction: for every writer that is not the audited client. Keys are those of
-- AuditContext, a second call replaces the first, and NULL ends it. Entries made in such a context also have
-- details.source.
--
-- SELECT audit_logs_set_context('{"actor": {"id": "ada", "type": "user"}, "requestId": "req-1", "reason": "import"}')
CREATE OR REPLACE FUNCTION "audit_logs_set_context"(context jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  actor jsonb := nullif(context -> 'actor', 'null');
  metadata jsonb := nullif(context -> 'metadata', 'null');
  problem text;
  address inet;
  kept text;
BEGIN
  problem := CASE
    WHEN context IS NULL THEN NULL
    WHEN jsonb_typeof(context) <> 'object' THEN 'it is not an object'
    WHEN jsonb_typeof(actor) <> 'object' THEN 'actor is not an object'
    WHEN jsonb_typeof(metadata) <> 'object' THEN 'metadata is not an object'
  END;
  IF problem IS NULL AND context IS NOT NULL THEN
    SELECT format('it has the unknown key %s', key) INTO problem
    FROM (
      SELECT key FROM jsonb_object_keys(context) AS key
      WHERE key NOT IN ('actor', 'requestId', 'ip', 'userAgent', 'organizationId', 'reason', 'metadata')
      UNION ALL
      SELECT 'actor.' || key FROM jsonb_object_keys(coalesce(actor, '{}')) AS key WHERE key NOT IN ('id', 'type', 'email')
    ) AS unknown LIMIT 1;
  END IF;
  IF problem IS NULL THEN
    SELECT CASE
      WHEN value IS NULL THEN format('%s is missing', key)
      WHEN most IS NULL THEN format('%s is not a text', key)
      ELSE format('%s is not a text of 1 to %s characters', key, most)
    END INTO problem
    FROM (VALUES
      ('actor.id', nullif(actor -> 'id', 'null'), 255, actor IS NOT NULL),
      ('actor.type', nullif(actor -> 'type', 'null'), 50, actor IS NOT NULL),
      ('actor.email', nullif(actor -> 'email', 'null'), 255, false),
      ('requestId', nullif(context -> 'requestId', 'null'), 255, false),
      ('organizationId', nullif(context -> 'organizationId', 'null'), 255, false),
      ('ip', nullif(context -> 'ip', 'null'), 50, false),
      ('userAgent', nullif(context -> 'userAgent', 'null'), NULL, false),
      ('reason', nullif(context -> 'reason', 'null'), NULL, false)
    ) AS field(key, value, most, is_required)
    WHERE CASE
      WHEN value IS NULL THEN is_required
      WHEN jsonb_typeof(value) <> 'string' THEN true
      WHEN most IS NULL THEN false
      ELSE length(value #>> '{}') NOT BETWEEN 1 AND most
    END
    LIMIT 1;
  END IF;
  IF problem IS NULL AND actor ->> 'type' NOT IN ('user', 'system', 'api_key') THEN
    problem := format('actor.type is %s, not user, system or api_key', actor -> 'type');
  END IF;
  IF problem IS NULL AND context ->> 'ip' IS NOT NULL THEN
    BEGIN
      address := (context ->> 'ip')::inet;
    EXCEPTION WHEN invalid_text_representation THEN
      problem := 'ip is not an IP address';
    END;
    IF strpos(context ->> 'ip', '/') > 0 THEN
      problem := 'ip is not an IP address';
    END IF;
  END IF;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA003',
      MESSAGE = format('the audit context cannot be used: %s', problem),
      HINT = 'Its keys are actor { id, type, email }, requestId, ip, userAgent, organizationId, reason and metadata.';
  END IF;
  kept := set_config('prisma_extension_audit.transaction', CASE WHEN context IS NULL THEN ''
    ELSE (jsonb_strip_nulls(jsonb_build_object(
      'actor_id', actor -> 'id', 'actor_type', actor -> 'type', 'actor_email', actor -> 'email',
      'reason', context -> 'reason', 'request_id', context -> 'requestId', 'ip', host(address),
      'user_agent', context -> 'userAgent', 'organization_id', context -> 'organizationId'
    )) || jsonb_build_object('details', CASE WHEN metadata IS NULL THEN '{}' ELSE jsonb_build_object('metadata', metadata) END)
    )::text END, true);
END
$$;
