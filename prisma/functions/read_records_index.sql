-- Who read a record: a read of several records names them in its details. Only such reads are in this index, so no other
-- entry pays for it. With the type in front of the ids, record 1 of one model is not found as record 1 of another.
CREATE INDEX IF NOT EXISTS "audit_logs_read_records_idx" ON "audit_logs"
  USING GIN (pg_catalog.jsonb_set('{}', ARRAY["resource_type"::text], "details" -> 'ids') jsonb_path_ops)
  WHERE "resource_id" IS NULL AND "action" LIKE '%.read';
