-- The audit log of prisma-extension-audit: an append-only table.
-- Idempotent: running it again changes nothing.

CREATE TABLE IF NOT EXISTS "audit_logs" (
  "id"              UUID           NOT NULL,
  "timestamp"       TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
  "action"          VARCHAR(100)   NOT NULL,
  "actor_id"        VARCHAR(255)   NOT NULL,
  "actor_type"      VARCHAR(50)    NOT NULL,
  "actor_email"     VARCHAR(255),
  "resource_type"   VARCHAR(100)   NOT NULL,
  "resource_id"     VARCHAR(255),
  "outcome"         VARCHAR(20)    NOT NULL DEFAULT 'success',
  "reason"          TEXT,
  "details"         JSONB,
  "request_id"      VARCHAR(255),
  "ip"              INET,
  "user_agent"      TEXT,
  "organization_id" VARCHAR(255),
  "seq"             BIGINT         NOT NULL GENERATED ALWAYS AS IDENTITY,
  "transaction_id"  BIGINT         NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,

  CONSTRAINT "audit_logs_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "audit_logs_actor_type_check" CHECK ("actor_type" IN ('user', 'system', 'api_key')),
  CONSTRAINT "audit_logs_outcome_check" CHECK ("outcome" IN ('success', 'failure'))
);

-- Entries arrive in time order, so a block range index finds a time range at a fraction of a B-tree's cost.
CREATE INDEX IF NOT EXISTS "audit_logs_timestamp_idx"
  ON "audit_logs" USING BRIN ("timestamp");
CREATE INDEX IF NOT EXISTS "audit_logs_actor_id_timestamp_idx"
  ON "audit_logs" ("actor_id", "timestamp" DESC);
CREATE INDEX IF NOT EXISTS "audit_logs_resource_type_resource_id_timestamp_idx"
  ON "audit_logs" ("resource_type", "resource_id", "timestamp" DESC);
CREATE INDEX IF NOT EXISTS "audit_logs_action_timestamp_idx"
  ON "audit_logs" ("action", "timestamp" DESC);
CREATE INDEX IF NOT EXISTS "audit_logs_organization_id_timestamp_idx"
  ON "audit_logs" ("organization_id", "timestamp" DESC) WHERE "organization_id" IS NOT NULL;

-- The log is append-only for everyone, the owner of the table included. SQLSTATE class ZA is ours, as the SQL
-- standard leaves the classes that begin with I to Z to implementations. Some tools cut a migration at every
-- semicolon, so the ones inside the function are written \073.
CREATE OR REPLACE FUNCTION "audit_logs_immutable"() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = ''ZA001'',
    MESSAGE = format(''%s on %I.%I is refused: the audit log is append-only'', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    HINT = ''Entries are evidence and can never be changed or removed. Record a new entry that corrects the old one.''\073
END\073
';

CREATE OR REPLACE TRIGGER "audit_logs_refuse_update" BEFORE UPDATE ON "audit_logs"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_immutable"();
CREATE OR REPLACE TRIGGER "audit_logs_refuse_delete" BEFORE DELETE ON "audit_logs"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_immutable"();
CREATE OR REPLACE TRIGGER "audit_logs_refuse_truncate" BEFORE TRUNCATE ON "audit_logs"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_immutable"();

-- ALWAYS: also under session_replication_role = replica, which switches ordinary triggers off.
ALTER TABLE "audit_logs" ENABLE ALWAYS TRIGGER "audit_logs_refuse_update";
ALTER TABLE "audit_logs" ENABLE ALWAYS TRIGGER "audit_logs_refuse_delete";
ALTER TABLE "audit_logs" ENABLE ALWAYS TRIGGER "audit_logs_refuse_truncate";

REVOKE UPDATE, DELETE, TRUNCATE ON "audit_logs" FROM PUBLIC;
