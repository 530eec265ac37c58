-- Notes that one entry of this statement stands for several changes of a row, and what the row was called in between where
-- its key changed.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."merge"(id text, id_between text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  RETURN set_config('prisma_extension_audit.merged', extract(epoch FROM statement_timestamp()) || ' ' ||
    ("audit_logs_internal"."merged"() || CASE WHEN id = id_between THEN '{}' ELSE jsonb_build_object(id_between, id) END), true);
END
$$;
