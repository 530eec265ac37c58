-- Who acts, for the statement that calls this: the audited client adds the call to a statement on a watched table.
-- PostgreSQL evaluates it after BEFORE STATEMENT triggers and before AFTER triggers, in the condition of an UPDATE or
-- DELETE even before any row. The context is kept with statement_timestamp(), so that no other statement finds it.
--
-- context: the columns of an entry that come with the call, and "details" with what its details have in common
-- relation, fingerprint: what the client believes of the table that it writes to. The trigger before each statement
-- has noted what holds, where the two differ the statement is refused, and the client looks again. A table without
-- triggers has the fingerprint ''. Without a relation nothing is compared
CREATE OR REPLACE FUNCTION "audit_logs_context"(context text, relation text, fingerprint text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp());
  note text;
BEGIN
  note := pg_catalog.set_config('prisma_extension_audit.context', moment || ' ' || context, true);
  IF relation IS NOT NULL THEN
    note := pg_catalog.current_setting('prisma_extension_audit.watched_' || relation, true);
    IF fingerprint <> (CASE WHEN pg_catalog.starts_with(note, moment || ' ') THEN pg_catalog.split_part(note, ' ', 2) ELSE '' END)
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
