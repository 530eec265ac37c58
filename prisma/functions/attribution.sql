-- Who made the change that a trigger sees: the columns of an entry, "details" with what its details have in common, and
-- "database", with what the database itself has to add to them. It is the context of this very statement, or of the
-- transaction, or else only what the database knows of its session. Whatever does not come with the statement has
-- details.source. Contexts are settings, which can be set by hand, too, so "database" is not taken from there.
--
-- Callers have a fixed search_path, setting it here once more would cost each row some time.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."attribution"() RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  moment text := extract(epoch FROM statement_timestamp());
  kept text := current_setting('prisma_extension_audit.context', true);
  context jsonb;
BEGIN
  IF starts_with(kept, moment || ' ') THEN
    RETURN substr(kept, length(moment) + 2)::jsonb - 'database';
  END IF;
  kept := current_setting('prisma_extension_audit.next', true);
  IF kept <> '' THEN
    RETURN kept::jsonb - 'database';
  END IF;
  kept := current_setting('prisma_extension_audit.transaction', true);
  context := coalesce(nullif(kept, ''), '{}')::jsonb;
  RETURN jsonb_build_object('actor_id', 'postgres:' || session_user, 'actor_type', 'system')
    || context
    || jsonb_build_object('database', jsonb_build_object('source', jsonb_build_object(
      'role', session_user,
      'application', nullif(current_setting('application_name', true), ''),
      'address', host(inet_client_addr()))));
END
$$;
