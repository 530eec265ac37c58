-- What reads the log in the order in which transactions began: sinks, seals and subscriptions.
-- Idempotent: running it again changes nothing.

CREATE SCHEMA IF NOT EXISTS "audit_logs_internal";

-- The order of readers, and where the horizon of running transactions lies in it. An index on an expression, since Prisma's
-- next migration would drop a plain one that a schema does not know. The type is PostgreSQL's own for transaction ids, which
-- compares with those of a snapshot.
CREATE INDEX IF NOT EXISTS "audit_logs_commit_order_idx"
  ON "audit_logs" (("transaction_id"::pg_catalog.text::pg_catalog.xid8), "seq");

-- The eras of a log: transaction ids only have an order within one. After a restore, or in another cluster, they start low
-- again, and a new era begins. Entries whose "seq" is higher than "after_seq" belong to it, or to a later one.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."eras" (
  "log"               text        NOT NULL,
  "number"            integer     NOT NULL,
  -- tells it from an era with the same number that began in another copy of the database
  "id"                uuid        NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
  "began_at"          timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  "after_seq"         bigint      NOT NULL,
  -- the cluster's next transaction id when it began
  "transaction_id"    bigint      NOT NULL,
  -- where it began, as far as it could be known: the cluster, its timeline, the table
  "system_identifier" bigint,
  "timeline"          integer,
  "table_oid"         oid,

  CONSTRAINT "eras_pkey" PRIMARY KEY ("log", "number")
);

-- Who reads a log, how far, and which process does so now.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."consumers" (
  "log"                  text        NOT NULL,
  "name"                 text        NOT NULL,
  "created_at"           timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  -- the cursor: all up to here is done
  "era"                  integer     NOT NULL,
  "transaction_id"       bigint      NOT NULL,
  "seq"                  bigint      NOT NULL,
  "acknowledged_at"      timestamptz,
  -- the highest "seq" that is done: in another cluster only what is new has a higher one
  "highest_seq"          bigint      NOT NULL,
  -- what the consumer keeps with the cursor, such as the digest of what it wrote last
  "state"                jsonb,
  -- how many batches were begun, and the end of the one in flight, from the cursor on: a second attempt has the same entries
  "batch"                bigint      NOT NULL DEFAULT 0,
  "batch_era"            integer,
  "batch_transaction_id" bigint,
  "batch_seq"            bigint,
  "batch_entries"        integer,
  -- the one process that may read on, by the clock of the database
  "lease_holder"         uuid,
  "lease_until"          timestamptz,

  CONSTRAINT "consumers_pkey" PRIMARY KEY ("log", "name")
);

CREATE OR REPLACE FUNCTION "audit_logs_version"() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS E'SELECT 3';
