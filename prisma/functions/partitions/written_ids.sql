-- The ids of what audit_logs_write has written to a partitioned log of late. Its key has the time beside the id, so that a
-- second attempt, a moment later, is no conflict there: it is one here. Writing waits for nobody but an attempt at the same ids.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."written_ids" (
  "log"        text        NOT NULL,
  "id"         uuid        NOT NULL,
  "written_at" timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),

  CONSTRAINT "written_ids_pkey" PRIMARY KEY ("id", "log")
);
