-- What was erased from a log of months, for those that come back from its archive, where it may still be: see erased_since. It names
-- nobody: an id may be what was erased, so of a record or an actor there is a hash.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."erasures" (
  "number"     bigint  GENERATED ALWAYS AS IDENTITY,
  "log"        text    NOT NULL,
  -- see subject_hash, NULL for a list of entries
  "subject"    bytea,
  "entries"    uuid[],
  "fields"     text[]  NOT NULL,
  "keys"       jsonb   NOT NULL,
  "reason"     text    NOT NULL,
  -- what has a higher number was written afterwards
  "last_seq"   bigint  NOT NULL,

  CONSTRAINT "erasures_pkey" PRIMARY KEY ("number")
);
CREATE INDEX IF NOT EXISTS "erasures_log_idx" ON "audit_logs_internal"."erasures" ("log");

-- A hash of a record or of an actor: for an actor, the resource is NULL.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."subject_hash"(log text, resource text, id text) RETURNS bytea
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog
AS $$
  SELECT sha256(convert_to(jsonb_build_array(log, resource, id)::text, 'UTF8'))
$$;
