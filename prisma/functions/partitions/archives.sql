-- What of a log is also in its archive, a row for each partition: written once all of it was read back from there.
CREATE TABLE IF NOT EXISTS "audit_logs_internal"."archives" (
  "log"            text        NOT NULL,
  -- the bounds of the partition
  "lower"          timestamptz NOT NULL,
  "upper"          timestamptz NOT NULL,
  -- what is in the archive
  "entries"        bigint      NOT NULL,
  "seq_sum"        numeric     NOT NULL,
  -- what of it is in the table: only the partition that has exactly this may be replaced or dropped
  "online_entries" bigint      NOT NULL,
  "online_seq_sum" numeric     NOT NULL,
  "location"       text        NOT NULL,
  -- what each attempt has stored: its manifest, where that is, and its digest
  "manifests"      jsonb       NOT NULL,
  "archived_at"    timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  -- when something of it left the table, NULL while all of it is there
  "retired_at"     timestamptz,

  CONSTRAINT "archives_pkey" PRIMARY KEY ("log", "upper")
);
