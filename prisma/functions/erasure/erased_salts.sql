-- Salts without those of the entries that this transaction erases: zeros take their place.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_salts"(log text, first_leaf bigint, salts bytea) RETURNS bytea
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  erased bytea := salts;
  place integer;
BEGIN
  FOR place IN
    SELECT e.leaf FROM "audit_logs_internal"."erasing" AS e
    WHERE e.transaction_id = pg_current_xact_id()::text::bigint AND e.log = erased_salts.log AND e.first_leaf = erased_salts.first_leaf
  LOOP
    erased := overlay(erased PLACING decode(repeat('00', 16), 'hex') FROM place * 16 + 1);
  END LOOP;
  RETURN erased;
END
$$;
