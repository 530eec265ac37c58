-- Who acts, for the statement that calls this: the audited client adds the call to a statement on a watched table.
-- PostgreSQL evaluates it after BEFORE STATEMENT triggers and before AFTER triggers, in the condition of an UPDATE or
-- DELETE even before any row. The context is kept with statement_timestamp(), so that no other statement finds it.
--
-- context: the columns of an entry that come with the call, and "details" with what its details have in common, as JSON.
--   NULL where no trigger needs to know
-- relation, fingerprint: what the client believes of the table that it writes to. The trigger before each statement
--   has noted what holds. Where the two differ the statement is refused, and the client looks again. A table without
--   triggers has the fingerprint ''. Without a relation nothing is compared
-- cause: what referential actions that the statement sets off have as their cause, where no trigger says it
--
-- It has no operators, which the caller's search_path can replace, see statement_begins.
CREATE OR REPLACE FUNCTION "audit_logs_context"(
  context text, relation text, fingerprint text, cause text DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp());
  noted text := '';
  kept text;
BEGIN
  IF context IS NOT NULL THEN
    kept := pg_catalog.set_config('prisma_extension_audit.context', pg_catalog.concat(moment, ' ', context), true);
  END IF;
  IF cause IS NOT NULL THEN
    kept := pg_catalog.set_config(
      pg_catalog.concat('prisma_extension_audit.statement_', pg_catalog.int4inc(pg_catalog.pg_trigger_depth())),
      pg_catalog.concat(moment, ' ', cause), true);
  END IF;
  IF relation IS NOT NULL THEN
    kept := pg_catalog.current_setting(pg_catalog.concat('prisma_extension_audit.watched_', relation), true);
    IF pg_catalog.starts_with(kept, pg_catalog.concat(moment, ' ')) THEN
      noted := pg_catalog.split_part(kept, ' ', 2);
    END IF;
    kept := pg_catalog.current_setting(pg_catalog.concat('prisma_extension_audit.reach_', relation), true);
    IF pg_catalog.starts_with(kept, pg_catalog.concat(moment, ' ')) THEN
      noted := pg_catalog.concat(noted, pg_catalog.split_part(kept, ' ', 2));
    END IF;
    IF NOT pg_catalog.texteq(fingerprint, noted) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'ZA002',
        MESSAGE = 'the triggers that record this table are not those that the client knows',
        HINT = 'They were installed, changed or removed meanwhile. Nothing was written. Run the transaction again.';
    END IF;
  END IF;
  RETURN true;
END
$$;
