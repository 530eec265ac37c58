-- Keeps what was erased, where the log has an archive or may have one.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."keep_erasure"(log regclass, subject jsonb, reason text, fields text[], keys jsonb)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog
AS $$
  INSERT INTO "audit_logs_internal"."erasures" (log, subject, entries, fields, keys, reason, last_seq)
  SELECT l.name,
    CASE
      WHEN subject ? 'entries' THEN NULL
      WHEN subject ? 'actor' THEN "audit_logs_internal"."subject_hash"(l.name, NULL, subject ->> 'actor')
      ELSE "audit_logs_internal"."subject_hash"(l.name, subject ->> 'resource', subject ->> 'id') END,
    CASE WHEN subject ? 'entries' THEN ARRAY(SELECT i::uuid FROM jsonb_array_elements_text(subject -> 'entries') AS i) END,
    coalesce(fields, '{}'), coalesce(keys, '{}'), reason, coalesce(pg_sequence_last_value(pg_get_serial_sequence(l.name, 'seq')::regclass), 0)
  FROM (SELECT "audit_logs_internal"."log_name"(log) AS name) AS l
  WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = log AND c.relkind = 'p')
$$;
