-- What of a table beside the log, filled from the archive, was erased from the log since it was archived, or had left by then:
-- each erasure, in their order, with the entries that it is about.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."erased_since"(log text, beside regclass)
RETURNS TABLE (entries jsonb, fields text[], keys jsonb, reason text)
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'WITH e AS MATERIALIZED (SELECT * FROM "audit_logs_internal"."erasures" WHERE log = $1),
    found AS (
      SELECT e.number, l.id FROM %1$s AS l JOIN e ON e.subject = "audit_logs_internal"."subject_hash"($1, NULL, l.actor_id)
        AND l.seq <= e.last_seq WHERE l.resource_type <> ''auditLog''
      UNION
      SELECT e.number, l.id FROM %1$s AS l JOIN e ON e.subject = "audit_logs_internal"."subject_hash"($1, l.resource_type, l.resource_id)
        AND l.seq <= e.last_seq WHERE l.resource_type <> ''auditLog'' AND l.resource_id IS NOT NULL
      UNION
      SELECT e.number, l.id FROM e CROSS JOIN LATERAL unnest(e.entries) AS i(id) JOIN %1$s AS l ON l.id = i.id
    )
    SELECT f.entries, e.fields, e.keys, e.reason
    FROM (SELECT number, jsonb_agg(id) AS entries FROM found GROUP BY number) AS f JOIN e USING (number) ORDER BY number',
    "audit_logs_internal"."log_name"(beside))
  USING log;
END
$$;
