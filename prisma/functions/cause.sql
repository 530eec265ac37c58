-- The cause of a change at which a row trigger fires, as a part of its details, which is empty for a row that the statement
-- itself changed.
--
-- depth: of triggers, at which the row changed, 2 for more than one: a referential action changes rows at the depth at
--   which their trigger fires later, a statement one below. Where both are more than one, the cause tells which it was
-- own: what the statement does if it changed the row itself: order.update
CREATE OR REPLACE FUNCTION "audit_logs_internal"."cause"(depth text, own text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  kept text;
  cause text;
BEGIN
  IF depth::int4 < pg_trigger_depth() AND depth::int4 < 2 THEN
    RETURN '{}';
  END IF;
  kept := current_setting('prisma_extension_audit.statement_' || pg_trigger_depth(), true);
  IF starts_with(kept, extract(epoch FROM statement_timestamp()) || ' ') THEN
    cause := split_part(kept, ' ', 2);
    IF cause <> '' AND (cause <> own OR pg_trigger_depth() < 3) THEN
      RETURN jsonb_build_object('cause', cause);
    END IF;
  END IF;
  RETURN '{}';
END
$$;
