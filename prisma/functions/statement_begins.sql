-- The trigger before each statement on a table. It notes that the table is watched and how, for audit_logs_context to
-- compare, and what the statement does, as the cause of changes that referential actions make.
--
-- Its argument has four parts with a space between them: the table's key among the settings, the fingerprint, the
-- resource, and the options, which nothing but the client and the command line read.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."statement_begins"() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  moment text := extract(epoch FROM pg_catalog.statement_timestamp());
  kept text;
BEGIN
  kept := pg_catalog.set_config('prisma_extension_audit.watched_' || pg_catalog.split_part(TG_ARGV[0], ' ', 1),
    moment || ' ' || pg_catalog.split_part(TG_ARGV[0], ' ', 2), true);
  kept := pg_catalog.set_config('prisma_extension_audit.cause_' || pg_catalog.pg_trigger_depth(),
    moment || ' ' || pg_catalog.split_part(TG_ARGV[0], ' ', 3) || CASE TG_OP
      WHEN 'INSERT' THEN '.create' WHEN 'UPDATE' THEN '.update' ELSE '.delete' END,
    true);
  RETURN NULL;
END
$$;
