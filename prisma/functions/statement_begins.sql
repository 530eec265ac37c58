-- The trigger before each statement on a table. It notes that the table is watched and how, for audit_logs_context to
-- compare, and what the statement does, as the cause of changes that referential actions make: that note is of its depth
-- of triggers, where the next statement replaces it.
--
-- It refuses a change by a referential action where the client says that its statement records the table itself: the note of
-- the table that the statement writes to can't tell it so where somebody disabled that one's triggers.
--
-- Its argument has four parts with a space between them: the table's key among the settings, the fingerprint, the
-- resource, and the options, which nothing but the client and the command line read.
--
-- It runs with the caller's search_path, as another one would cost each statement some time, so it has no operators, which
-- a search_path can replace.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_begins"() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp());
  verb text := CASE WHEN pg_catalog.texteq(TG_OP, 'INSERT') THEN '.create'
    WHEN pg_catalog.texteq(TG_OP, 'UPDATE') THEN '.update' ELSE '.delete' END;
  kept text;
BEGIN
  kept := pg_catalog.current_setting('prisma_extension_audit.records', true);
  IF pg_catalog.starts_with(kept, pg_catalog.concat(moment, ' '))
    AND pg_catalog.int4gt(pg_catalog.strpos(kept, pg_catalog.concat(' ', pg_catalog.split_part(TG_ARGV[0], ' ', 1), ' ')), 0)
    AND pg_catalog.textne(pg_catalog.split_part(TG_ARGV[0], ' ', 4), '')
    AND pg_catalog.nameeq(TG_NAME, '!audit_logs_statement')
  THEN
    RAISE EXCEPTION USING
      ERRCODE = 'ZA002',
      MESSAGE = 'a statement would record what triggers record, too',
      HINT = 'They were installed meanwhile. Nothing was written. Run the transaction again.';
  END IF;
  kept := pg_catalog.set_config(
    pg_catalog.concat(
      CASE WHEN pg_catalog.nameeq(TG_NAME, '!audit_logs_reach') THEN 'prisma_extension_audit.reach_' ELSE 'prisma_extension_audit.watched_' END,
      pg_catalog.split_part(TG_ARGV[0], ' ', 1)),
    pg_catalog.concat(moment, ' ', pg_catalog.split_part(TG_ARGV[0], ' ', 2)), true);
  kept := pg_catalog.set_config(
    pg_catalog.concat('prisma_extension_audit.statement_', pg_catalog.pg_trigger_depth()),
    pg_catalog.concat(moment, ' ', pg_catalog.split_part(TG_ARGV[0], ' ', 3), verb), true);
  IF pg_catalog.nameeq(TG_NAME, '!audit_logs_reach') THEN
    -- a client that knows of no triggers looks at this one only. Any text makes it look at both
    kept := pg_catalog.set_config(pg_catalog.concat('prisma_extension_audit.watched_', pg_catalog.split_part(TG_ARGV[0], ' ', 1)), '-', true);
  END IF;
  RETURN NULL;
END
$$;
