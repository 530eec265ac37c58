-- Has the function that writes the entry of one row name the log's schema, for whatever search_path a transaction has.
CREATE OR REPLACE FUNCTION "audit_logs_internal"."qualify_record"(log regclass, name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  -- quoted as clients quote it, which look for it
  qualified text := (SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = log);
BEGIN
  EXECUTE (
    SELECT left(definition, strpos(definition, 'INSERT INTO ') + 11) || qualified
      || substr(definition, strpos(definition, ' ("id",'))
    FROM pg_proc p JOIN pg_class c ON c.relnamespace = p.pronamespace
    CROSS JOIN LATERAL pg_get_functiondef(p.oid) AS definition
    WHERE c.oid = log AND p.proname = name);
END
$$;
