-- Salts are append-only, too, but for those of entries that are being erased: see is_erasing.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."refuse_salt_change"() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  IF TG_LEVEL = 'STATEMENT' THEN
    IF (SELECT bool_and("audit_logs_internal"."is_erasing"(e.log::regclass)) FROM (
      SELECT DISTINCT log FROM "audit_logs_internal"."erasing" WHERE transaction_id = pg_current_xact_id()::text::bigint) AS e)
    THEN
      RETURN NULL;
    END IF;
  ELSIF NEW.log = OLD.log AND NEW.first_leaf = OLD.first_leaf
    AND NEW.salts = "audit_logs_internal"."erased_salts"(OLD.log, OLD.first_leaf, OLD.salts)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION USING
    ERRCODE = 'ZA006',
    MESSAGE = format('%s on %I.%I is refused: seals are append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    HINT = 'Only erasing an entry erases its salt.';
END
$$;

CREATE OR REPLACE TRIGGER "refuse_change" BEFORE DELETE OR TRUNCATE ON "audit_logs_internal"."seal_salts"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_change";
CREATE OR REPLACE TRIGGER "refuse_update" BEFORE UPDATE ON "audit_logs_internal"."seal_salts"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_salt_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_update";
CREATE OR REPLACE TRIGGER "refuse_other_change" BEFORE UPDATE ON "audit_logs_internal"."seal_salts"
  FOR EACH ROW EXECUTE FUNCTION "audit_logs_internal"."refuse_salt_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_other_change";
