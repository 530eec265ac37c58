-- The log is append-only for everyone, the owner of the table included. What an erasure has told of goes through, and nothing else
-- does: exactly these entries, exactly as it said that they will be. It runs with its owner's privileges, as others may not look that up.
CREATE OR REPLACE FUNCTION "audit_logs_immutable"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_LEVEL = 'STATEMENT' THEN
    IF "audit_logs_internal"."is_erasing"(TG_RELID) THEN
      RETURN NULL;
    END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF (NEW.id, NEW."timestamp", NEW.action, NEW.actor_type, NEW.resource_type, NEW.outcome, NEW.request_id, NEW.organization_id, NEW.seq, NEW.transaction_id)
        IS NOT DISTINCT FROM
        (OLD.id, OLD."timestamp", OLD.action, OLD.actor_type, OLD.resource_type, OLD.outcome, OLD.request_id, OLD.organization_id, OLD.seq, OLD.transaction_id)
      AND OLD.resource_type <> 'auditLog'
      AND EXISTS (SELECT FROM "audit_logs_internal"."erasing" AS e
        WHERE e.transaction_id = pg_current_xact_id()::text::bigint AND e.log = "audit_logs_internal"."root_name"(TG_RELID) AND e.id = OLD.id
          AND e.hash = encode(sha256(convert_to("audit_logs_internal"."entry_form"(
            NEW.id, NEW."timestamp", NEW.action, NEW.actor_id, NEW.actor_type, NEW.actor_email, NEW.resource_type, NEW.resource_id,
            NEW.outcome, NEW.reason, NEW.details, NEW.request_id, NEW.ip, NEW.user_agent, NEW.organization_id, NEW.seq,
            NEW.transaction_id), 'UTF8')), 'hex'))
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION USING
    ERRCODE = 'ZA001',
    MESSAGE = format('%s on %I.%I is refused: the audit log is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    HINT = 'Entries are evidence and can never be changed or removed. Record a new entry that corrects the old one.';
END
$$;

CREATE OR REPLACE TRIGGER "audit_logs_refuse_other_change" BEFORE UPDATE ON "audit_logs"
  FOR EACH ROW EXECUTE FUNCTION "audit_logs_immutable"();
ALTER TABLE "audit_logs" ENABLE ALWAYS TRIGGER "audit_logs_refuse_other_change";
