-- The cause of a change at which a row trigger fires, NULL for a row that the statement itself changed. The argument is
-- the depth of triggers at which the row changed, 2 for more than one, a referential action changes rows at the
-- depth at which their trigger fires later, a statement one below.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."cause"(depth text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  kept text;
BEGIN
  IF depth::int4 < pg_catalog.pg_trigger_depth() AND depth::int4 < 2 THEN
    RETURN '{}';
  END IF;
  kept := pg_catalog.current_setting('prisma_extension_audit.cause_' || pg_catalog.pg_trigger_depth(), true);
  RETURN CASE WHEN pg_catalog.starts_with(kept, extract(epoch FROM pg_catalog.statement_timestamp()) || ' ')
    THEN pg_catalog.jsonb_build_object('cause', pg_catalog.split_part(kept, ' ', 2)) ELSE '{}' END;
END
$$;
