-- Who made the change that a trigger sees, as the columns of an entry and what its "details" have in common: the
-- context of this very statement, or of the transaction, or else only what the database knows of its session. Whatever
-- does not come with the statement has details.source, which nobody can set.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."attribution"() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  moment text := extract(epoch FROM statement_timestamp());
  kept text := current_setting('prisma_extension_audit.context', true);
  context jsonb;
BEGIN
  IF starts_with(kept, moment || ' ') THEN
    RETURN substr(kept, length(moment) + 2)::jsonb;
  END IF;
  kept := current_setting('prisma_extension_audit.next', true);
  IF kept <> '' THEN
    RETURN kept::jsonb;
  END IF;
  kept := current_setting('prisma_extension_audit.transaction', true);
  context := coalesce(nullif(kept, ''), '{}')::jsonb;
  RETURN jsonb_build_object('actor_id', 'postgres:' || session_user, 'actor_type', 'system')
    || context
    || jsonb_build_object('details', coalesce(context -> 'details', '{}') || jsonb_build_object('source',
      jsonb_build_object(
        'role', session_user,
        'application', nullif(current_setting('application_name', true), ''),
        'address', host(inet_client_addr()))));
END
$$;
