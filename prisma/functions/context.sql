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
CREATE OR REPLACE FUNCTION "audit_logs_context"(
  context text, relation text, fingerprint text, cause text DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp());
  kept text;
BEGIN
  IF context IS NOT NULL THEN
    kept := pg_catalog.set_config('prisma_extension_audit.context', moment || ' ' || context, true);
  END IF;
  IF cause IS NOT NULL THEN
    kept := pg_catalog.set_config(
      'prisma_extension_audit.cause_' || pg_catalog.pg_trigger_depth() + 1, moment || ' ' || cause, true);
  END IF;
  IF relation IS NOT NULL THEN
    kept := pg_catalog.current_setting('prisma_extension_audit.watched_' || relation, true);
    IF fingerprint <> (CASE WHEN pg_catalog.starts_with(kept, moment || ' ') THEN pg_catalog.split_part(kept, ' ', 2) ELSE '' END)
    THEN
      RAISE EXCEPTION USING
        ERRCODE = 'ZA002',
        MESSAGE = 'the triggers that record this table are not those that the client knows',
        HINT = 'They were installed, changed or removed meanwhile. Nothing was written. Run the transaction again.';
    END IF;
  END IF;
  RETURN true;
END
$$;
