-- Whether this transaction may change entries of a log: it has said which ones, and an entry auditLog.erase of its own tells of
-- each, with the hash of what it will be. So nobody erases unseen, whatever he may write to the tables here.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."is_erasing"(log regclass) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  log_table text := "audit_logs_internal"."root_name"(log);
  transaction bigint := pg_current_xact_id()::text::bigint;
  is_told boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM "audit_logs_internal"."erasing" AS e WHERE e.transaction_id = transaction AND e.log = log_table) THEN
    RETURN false;
  END IF;
  EXECUTE format(
    'WITH told AS MATERIALIZED (
      SELECT l.id AS entry, t.key::uuid AS id, t.value AS hash FROM %s AS l CROSS JOIN LATERAL jsonb_each_text(l.details -> ''erased'') AS t
      WHERE l.id IN (SELECT DISTINCT entry FROM "audit_logs_internal"."erasing" WHERE transaction_id = $1 AND log = $2)
        AND l.action = ''auditLog.erase'' AND l.resource_type = ''auditLog'' AND l.outcome = ''success'' AND l.transaction_id = $1
    )
    SELECT NOT EXISTS (
      SELECT entry, id, hash FROM "audit_logs_internal"."erasing" WHERE transaction_id = $1 AND log = $2
      EXCEPT SELECT entry, id, hash FROM told)', log_table)
  INTO is_told USING transaction, log_table;
  RETURN is_told;
END
$$;
