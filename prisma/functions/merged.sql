-- What this statement has noted of rows with one entry for several changes (merge): since when, and for those of a resource
-- that have another key than at first: key → first key. NULL where it has not.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merged"(resource text, OUT since numeric, OUT keys jsonb)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  moment text := extract(epoch FROM statement_timestamp());
  kept text := current_setting('prisma_extension_audit.statement_' || pg_trigger_depth(), true);
BEGIN
  IF starts_with(kept, moment || ' ') AND split_part(kept, ' ', 3) <> '' THEN
    since := split_part(kept, ' ', 3)::numeric;
    keys := substr(kept, length(concat_ws(' ', moment, split_part(kept, ' ', 2), since)) + 2)::jsonb -> resource;
  END IF;
END
$$;
