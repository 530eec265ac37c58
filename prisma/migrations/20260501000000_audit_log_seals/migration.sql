-- Seals: a Merkle tree over the entries, and signed checkpoints of it, by which an alteration is found and proved.
-- Idempotent: running it again changes nothing.

CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";

-- The leaves of the tree, in the order of readers. A row has those of one step within one tile of 256: 57 bytes each, the
-- version, "seq", "id" and the salted hash of an entry.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."sealed_leaves" (
  "log"            text    NOT NULL,
  "first_leaf"     bigint  NOT NULL,
  "entries"        integer NOT NULL,
  "leaves"         bytea   NOT NULL,
  -- the place of the first of its entries
  "era"            integer NOT NULL,
  "transaction_id" bigint  NOT NULL,
  "seq"            bigint  NOT NULL,

  CONSTRAINT "sealed_leaves_pkey" PRIMARY KEY ("log", "first_leaf")
);

CREATE INDEX IF NOT EXISTS "sealed_leaves_place_idx"
  ON "audit_logs_internal"."sealed_leaves" ("log", "era", "transaction_id", "seq");

-- The salts of these leaves, 16 bytes each. They stand apart, since erasing an entry's values erases its salt, too.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."seal_salts" (
  "log"        text   NOT NULL,
  "first_leaf" bigint NOT NULL,
  "salts"      bytea  NOT NULL,

  CONSTRAINT "seal_salts_pkey" PRIMARY KEY ("log", "first_leaf")
);

-- The root of each full tile: at level 1 of 256 leaves, at level 2 of 65,536. What is below is computed from the leaves.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."seal_nodes" (
  "log"   text    NOT NULL,
  "level" integer NOT NULL,
  "index" bigint  NOT NULL,
  "hash"  bytea   NOT NULL,

  CONSTRAINT "seal_nodes_pkey" PRIMARY KEY ("log", "level", "index")
);

-- What was signed: the tree's size and root. Numbers have no gap, so that two who seal at once can't both add the next.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."checkpoints" (
  "log"            text        NOT NULL,
  "number"         bigint      NOT NULL,
  "created_at"     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  "size"           bigint      NOT NULL,
  "root"           bytea       NOT NULL,
  "note"           text        NOT NULL,
  -- the place of the last entry
  "era"            integer     NOT NULL,
  "transaction_id" bigint      NOT NULL,
  "seq"            bigint      NOT NULL,

  CONSTRAINT "checkpoints_pkey" PRIMARY KEY ("log", "number")
);

-- which checkpoint is the first to cover an entry
CREATE INDEX IF NOT EXISTS "checkpoints_size_idx" ON "audit_logs_internal"."checkpoints" ("log", "size");

-- What "verify" found, each time. It is told by whoever may write here, and proves nothing.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."verifications" (
  "log"      text        NOT NULL,
  "number"   bigint      GENERATED ALWAYS AS IDENTITY,
  "began_at" timestamptz NOT NULL,
  "ended_at" timestamptz NOT NULL,
  -- how many leaves the tree had up to which it was looked at, of which fewer were compared with --since
  "size"     bigint      NOT NULL,
  "entries"  bigint      NOT NULL,
  "findings" bigint      NOT NULL,
  -- intact, altered or stopped
  "result"   text        NOT NULL,
  -- how many entries an anchor covers, NULL where none was asked
  "anchored" bigint,
  "role"     text        NOT NULL DEFAULT session_user,

  CONSTRAINT "verifications_pkey" PRIMARY KEY ("log", "number")
);

-- Append-only like the log. SQLSTATE class ZA is ours, and \073 is a semicolon, at which some tools cut a migration.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."refuse_seal_change"() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS E'
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = ''ZA006'',
    MESSAGE = format(''%s on %I.%I is refused: seals are append-only'', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
    HINT = ''Seals prove that entries are as they were. A new checkpoint is added by sealing on.''\073
END\073
';
REVOKE EXECUTE ON FUNCTION "audit_logs_internal"."refuse_seal_change"() FROM PUBLIC;

CREATE OR REPLACE TRIGGER "refuse_change" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_logs_internal"."sealed_leaves"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."sealed_leaves" ENABLE ALWAYS TRIGGER "refuse_change";
CREATE OR REPLACE TRIGGER "refuse_change" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_logs_internal"."seal_salts"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."seal_salts" ENABLE ALWAYS TRIGGER "refuse_change";
CREATE OR REPLACE TRIGGER "refuse_change" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_logs_internal"."seal_nodes"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."seal_nodes" ENABLE ALWAYS TRIGGER "refuse_change";
CREATE OR REPLACE TRIGGER "refuse_change" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_logs_internal"."checkpoints"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."checkpoints" ENABLE ALWAYS TRIGGER "refuse_change";
CREATE OR REPLACE TRIGGER "refuse_change" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_logs_internal"."verifications"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_logs_internal"."refuse_seal_change"();
ALTER TABLE "audit_logs_internal"."verifications" ENABLE ALWAYS TRIGGER "refuse_change";

CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS E'SELECT 4';
