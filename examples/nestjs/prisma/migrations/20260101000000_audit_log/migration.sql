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
  CONSTRAINT "audit_logs_actor_type_check" CHECK ("actor_type"::text = ANY ('{user,system,api_key}'::text[])),
  CONSTRAINT "audit_logs_outcome_check" CHECK ("outcome"::text = ANY ('{success,failure}'::text[]))
);

-- Entries arrive in the order of time and of transactions, so block range indexes find a time range, and a
-- transaction, at a fraction of a B-tree's cost.
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
CREATE INDEX IF NOT EXISTS "audit_logs_transaction_id_idx"
  ON "audit_logs" USING BRIN ("transaction_id");

-- The log is append-only for everyone, the owner of the table included. SQLSTATE class ZA is ours, as the SQL
-- standard leaves the classes that begin with I to Z to implementations. Some tools cut a migration at every
-- semicolon, so the ones inside a function are written \073.
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

-- Writes the entry of one row, called by the statement that changes the row, with the caller's privileges. Its plan
-- stays in the session, so such a statement is short to send, parse and plan. PostgreSQL 18 only: before, statements
-- insert their entries themselves.
--
-- before, after: the row. For an update, "after" needs to have only what may differ from "before"
-- changed: the fields that an update changed. Without any, there is no entry
-- context: what every entry of the call has in common, by column, and what "details" has beside the row
CREATE OR REPLACE FUNCTION "audit_logs_record"(
  resource text, resource_id text, before jsonb, after jsonb, changed text[], context jsonb
) RETURNS boolean
LANGUAGE plpgsql
AS E'
BEGIN
  IF changed = ''{}'' THEN
    RETURN false\073
  END IF\073
  INSERT INTO "audit_logs" ("id", "action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id",
    "outcome", "reason", "details", "request_id", "ip", "user_agent", "organization_id")
  VALUES (
    pg_catalog.uuidv7(),
    resource || CASE WHEN before IS NULL THEN ''.create'' WHEN after IS NULL THEN ''.delete'' ELSE ''.update'' END,
    context ->> ''actor_id'', context ->> ''actor_type'', context ->> ''actor_email'',
    resource, resource_id,
    ''success'', context ->> ''reason'',
    CASE
      WHEN before IS NULL THEN pg_catalog.jsonb_build_object(''after'', after)
      WHEN after IS NULL THEN pg_catalog.jsonb_build_object(''before'', before)
      ELSE pg_catalog.jsonb_build_object(''before'', before, ''after'', before || after, ''changed'', changed)
    END || (context -> ''details''),
    context ->> ''request_id'', (context ->> ''ip'')::pg_catalog.inet,
    context ->> ''user_agent'', context ->> ''organization_id''
  )\073
  RETURN true\073
END\073
';

-- A moment in UTC as entries have it: ISO 8601 with three digits of a second as JavaScript writes them, six where
-- there are more. Infinity and years before Christ, which ISO 8601 can't say in four digits, as PostgreSQL's JSON has them.
CREATE OR REPLACE FUNCTION "audit_logs_iso"(moment timestamp) RETURNS text
LANGUAGE plpgsql STABLE STRICT
AS E'
BEGIN
  RETURN CASE
    WHEN moment < ''0001-01-01'' OR moment = ''infinity'' THEN pg_catalog.to_jsonb(moment) #>> ''{}''
    WHEN pg_catalog.date_trunc(''milliseconds'', moment) = moment
      THEN pg_catalog.to_char(moment, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'')
    ELSE pg_catalog.to_char(moment, ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')
  END\073
END\073
';

REVOKE UPDATE, DELETE, TRUNCATE ON "audit_logs" FROM PUBLIC;
