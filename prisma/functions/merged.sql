-- The rows of this statement that have one entry for several changes and another key than at first: key → first key.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merged"() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog
AS $$
DECLARE
  moment text := extract(epoch FROM statement_timestamp());
  kept text := current_setting('prisma_extension_audit.merged', true);
BEGIN
  RETURN CASE WHEN starts_with(kept, moment || ' ') THEN substr(kept, length(moment) + 2)::jsonb ELSE '{}' END;
END
$$;
