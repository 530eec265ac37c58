-- Who acts, for the statement after this one in the same transaction: for statements that can't carry a call. The audited
-- client calls it again with NULL behind the statement, where the transaction goes on.
CREATE OR REPLACE FUNCTION "audit_logs_next_context"(context text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  kept text;
BEGIN
  kept := pg_catalog.set_config('prisma_extension_audit.next', coalesce(context, ''), true);
  RETURN true;
END
$$;
