-- The part of a table's function that returns where a referential action found no row, which most of those do that a delete
-- sets off in a large schema. Empty where they have no trigger of their own, or none can come.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."no_rows_sql"(relation oid, options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT CASE
    WHEN 'DELETE' = ANY ("audit_logs_internal"."events_by_statement"(relation, options))
      AND EXISTS (SELECT FROM "audit_logs_internal"."acting_keys"(relation))
    THEN $body$
  IF TG_LEVEL = 'STATEMENT' AND TG_OP <> 'INSERT' AND TG_ARGV[0] <> '0' THEN
    IF NOT EXISTS (SELECT FROM __audit_before) THEN
      RETURN NULL;
    END IF;
  END IF;
$body$
    ELSE ''
  END
$$;
