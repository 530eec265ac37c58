-- Notes that one entry of this statement stands for several changes of a row, and what the row was called in between where
-- its key changed. The note lies behind the cause in that of statement_begins, so that the next statement, in the same
-- function too, begins without one: when the first such entry was written, and {resource: {key in between: first key}}.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merge"(resource text, id text, id_between text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  name text := 'prisma_extension_audit.statement_' || pg_trigger_depth();
  moment text := extract(epoch FROM statement_timestamp());
  kept text := current_setting(name, true);
  cause text := CASE WHEN starts_with(kept, moment || ' ') THEN split_part(kept, ' ', 2) ELSE '' END;
  since text := CASE WHEN starts_with(kept, moment || ' ') THEN split_part(kept, ' ', 3) ELSE '' END;
  keys jsonb := '{}';
BEGIN
  IF since <> '' AND id = id_between THEN
    RETURN kept;
  END IF;
  IF since = '' THEN
    since := extract(epoch FROM clock_timestamp());
  ELSE
    keys := substr(kept, length(concat_ws(' ', moment, cause, since)) + 2)::jsonb;
  END IF;
  IF id <> id_between THEN
    keys := keys || jsonb_build_object(resource, coalesce(keys -> resource, '{}') || jsonb_build_object(id_between, id));
  END IF;
  RETURN set_config(name, concat_ws(' ', moment, cause, since, keys), true);
END
$$;
