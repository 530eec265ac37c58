-- What the transaction that erases may change: entries as they are to be, of which "hash" is the SHA-256. Empty outside of it.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."erasing" (
  "log"            text    NOT NULL,
  "transaction_id" bigint  NOT NULL,
  "id"             uuid    NOT NULL,
  "seq"            bigint  NOT NULL,
  "actor_id"       text    NOT NULL,
  "actor_email"    text,
  "resource_id"    text,
  "reason"         text,
  "details"        jsonb,
  "ip"             inet,
  "user_agent"     text,
  "is_changed"     boolean NOT NULL,
  -- where its leaf stands, null where it is not sealed
  "first_leaf"     bigint,
  "leaf"           integer,
  -- the entry auditLog.erase that tells of it
  "entry"          uuid,
  "hash"           text,

  CONSTRAINT "erasing_pkey" PRIMARY KEY ("transaction_id", "log", "id")
);
